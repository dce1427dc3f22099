import { FlError } from '../core/errors.ts';
import type { ClientId } from '../core/names.ts';
import type { Clients } from '../ports/clients.ts';
import type { IdentityStore } from '../ports/identity-store.ts';
import { type UpdateStatement, verifyStatement } from '../wire/identity/statement.ts';

/** Clients as the identity store knows them. */
export class RegisteredClients implements Clients {
  readonly #identities: IdentityStore;

  constructor(identities: IdentityStore) {
    this.#identities = identities;
  }

  async isActive(client: ClientId): Promise<boolean> {
    return (await this.#identities.client(client))?.state === 'active';
  }

  async checkStatement(client: ClientId, jws: string, expected: UpdateStatement): Promise<void> {
    const record = await this.#identities.client(client);
    const key = record?.keys.at(-1);
    if (record?.state !== 'active' || !key) throw new FlError('client-revoked', `client "${client}" is not active`);
    await verifyStatement(jws, key.publicKey, expected);
  }
}
