import type { ClientId } from '../core/names.ts';
import type { UpdateStatement } from '../wire/identity/statement.ts';

/** What the steps of a round ask about clients. */
export interface Clients {
  /** It has enrolled and is not revoked. */
  isActive(client: ClientId): Promise<boolean>;
  /**
   * Checks that the client says just this, signed with the key that it signs with now.
   * @throws {FlError} `statement-wrong`, or `client-revoked` unless the client is active
   */
  checkStatement(client: ClientId, jws: string, expected: UpdateStatement): Promise<void>;
}
