import { decodeProtectedHeader } from 'jose';
import { FlError } from '../../shared/core/errors.ts';
import type { ClientResponse } from '../../shared/wire/identity/api.ts';
import type { PublicKey } from '../../shared/wire/identity/keys.ts';
import { verifyStatement } from '../../shared/wire/identity/statement.ts';
import type { Manifest } from '../../shared/wire/workflow.ts';

/** Every key that a client has signed with, by client and key id. */
export type ClientKeys = ReadonlyMap<string, ReadonlyMap<string, PublicKey>>;

export function keysOf(clients: readonly ClientResponse[]): ClientKeys {
  return new Map(
    clients.map(({ client, keys }) => {
      const byId = keys.map(({ kid, x }): [string, PublicKey] => [kid, { kty: 'OKP', crv: 'Ed25519', x }]);
      return [client, new Map(byId)];
    }),
  );
}

/** Whether the clients of a manifest said what it says of their updates. */
export interface Provenance {
  /** Statements that do not stand, one line each. */
  readonly problems: readonly string[];
  /** Clients whose keys are gone, as those of an erased one. */
  readonly unproved: readonly string[];
}

/** Verifies the statement of each update of a manifest with its client's keys. */
export async function verifyStatements({ task, updates }: Manifest, keys: ClientKeys): Promise<Provenance> {
  const problems: string[] = [];
  const unproved = new Set<string>();
  for (const { client, ticket, sha256, examples, statement } of updates) {
    const known = keys.get(client);
    if (!known) {
      unproved.add(client);
      continue;
    }
    try {
      const key = known.get(String(decodeProtectedHeader(statement).kid));
      if (!key) throw new FlError('statement-wrong', 'it is signed with a key that the client never had');
      await verifyStatement(statement, key, { sub: client, task, ticket, sha256, examples });
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      problems.push(`update ${ticket.slice(0, 8)}… of client "${client}": ${why}`);
    }
  }
  return { problems, unproved: [...unproved].sort() };
}
