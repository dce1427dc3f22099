import { enrol } from '../../client/typescript/enrol.ts';
import type { KeyStore } from '../../client/typescript/key-store.ts';
import type { ClientKey } from '../../shared/wire/identity/keys.ts';
import type { OperatorApi } from './operator-api.ts';

/** Clients in one request for invitations: as many as the API takes. */
const invitedAtOnce = 100;
/** Enrolments under way at once: more make more cold starts than they save time. */
const enrolledAtOnce = 2;

export interface IssueOptions {
  /** Where a client's key is kept, before it is sent and after. */
  readonly keysOf: (client: string) => KeyStore;
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal?: AbortSignal;
}

/**
 * Invites clients and enrols each in its place, through the door that any client goes through. Who has a key already keeps
 * it; whoever an earlier call invited and did not get to enrol is enrolled with the key that it made then.
 * @returns the keys, in the order of the names
 */
export async function issueKeys(
  api: OperatorApi,
  endpoint: string,
  names: readonly string[],
  { keysOf, onProgress, signal }: IssueOptions,
): Promise<ClientKey[]> {
  const stores = new Map(names.map((name) => [name, keysOf(name)]));
  const keys = new Map<string, ClientKey>();
  for (const [name, store] of stores) {
    const known = await store.get('current');
    if (known) keys.set(name, known);
  }
  const missing = names.filter((name) => !keys.has(name));
  let done = 0;
  for (let from = 0; from < missing.length; from += invitedAtOnce) {
    const { invitations } = await api.invite({ clients: missing.slice(from, from + invitedAtOnce) }, signal);
    const left = [...invitations];
    const lane = async () => {
      for (let invitation = left.pop(); invitation; invitation = left.pop()) {
        const { client, code } = invitation;
        keys.set(client, await enrol({ endpoint, client, code, keys: stores.get(client), signal }));
        onProgress?.(++done, missing.length);
      }
    };
    await Promise.all(Array.from({ length: enrolledAtOnce }, lane));
  }
  return names.flatMap((name) => keys.get(name) ?? []);
}
