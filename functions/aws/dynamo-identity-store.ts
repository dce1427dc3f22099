import { randomUUID } from 'node:crypto';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { FlError } from '../../shared/core/errors.ts';
import type { ClientId } from '../../shared/core/names.ts';
import type {
  ClientRecord,
  ErasureRecord,
  IdentityStore,
  InvitationRecord,
  RegisteredKey,
} from '../../shared/ports/identity-store.ts';
import type { KeyId } from '../../shared/wire/identity/keys.ts';
import { keys, readClient, readErasure, readInvitation, ttlAfter } from './dynamo-items.ts';
import { DynamoTable } from './dynamo-table.ts';
import type { Write } from './dynamo-transaction.ts';

/** Changes of one client or invitation that may come in between before a change gives up. */
const tries = 10;
/** Seconds that a nonce outlives its proof: clocks differ. */
const nonceSlackSeconds = 600;

/** The identity store in the round store's table: conditional writes and transactions, strongly consistent reads. */
export class DynamoIdentityStore implements IdentityStore {
  readonly #table: DynamoTable;

  constructor(client: DynamoDBDocumentClient, table: string) {
    this.#table = new DynamoTable(client, table);
  }

  async invite(invitations: readonly InvitationRecord[]): Promise<void> {
    await this.#table.transact(
      invitations.map((record) =>
        this.#table.put({ ...keys.invitation(record.client), ...record, ttl: ttlAfter(record.expiresAtMs) }),
      ),
    );
  }

  async invitation(client: ClientId): Promise<InvitationRecord | undefined> {
    const item = await this.#table.get(keys.invitation(client));
    return item && readInvitation(item);
  }

  enrol({ client, codeDigest }: InvitationRecord, key: RegisteredKey): Promise<'enrolled' | 'used' | 'replaced'> {
    return this.#untilWritten(client, async (known, revision) => {
      const invitation = await this.invitation(client);
      if (invitation?.codeDigest !== codeDigest) return { outcome: 'used' };
      const signing = known?.keys.at(-1)?.kid;
      if (invitation.usedBy !== undefined) {
        const again = invitation.usedBy === key.kid && signing === key.kid && known?.state === 'active';
        return { outcome: again ? 'enrolled' : 'used' };
      }
      const had = known?.keys ?? [];
      if (signing !== key.kid && had.some(({ kid }) => kid === key.kid)) return { outcome: 'replaced' };
      const record: ClientRecord = {
        client,
        state: 'active',
        enrolledAtMs: known?.enrolledAtMs ?? key.addedAtMs,
        keys: signing === key.kid ? had : [...had, key],
      };
      const use = this.#table.change({
        Key: keys.invitation(client),
        UpdateExpression: 'SET usedBy = :kid',
        ConditionExpression: 'codeDigest = :code AND attribute_not_exists(usedBy)',
        ExpressionAttributeValues: { ':kid': key.kid, ':code': codeDigest },
      });
      const listed = this.#table.put({ ...keys.clientListed(client), client });
      return { outcome: 'enrolled', writes: [use, this.#putClient(record, revision), listed] };
    });
  }

  async client(client: ClientId): Promise<ClientRecord | undefined> {
    return (await this.#read(client))?.record;
  }

  async clients(limit: number, after?: ClientId): Promise<readonly ClientRecord[]> {
    const listed = await this.#table.query('CLIENTS', { limit, after });
    const records = await Promise.all(listed.map(({ client }) => this.client(client as ClientId)));
    return records.flatMap((record) => record ?? []);
  }

  rotate(client: ClientId, from: KeyId, key: RegisteredKey): Promise<'rotated' | 'refused' | 'replaced'> {
    return this.#untilWritten(client, async (known, revision) => {
      if (known?.state !== 'active' || known.keys.at(-1)?.kid !== from) return { outcome: 'refused' };
      if (known.keys.some(({ kid }) => kid === key.kid)) return { outcome: 'replaced' };
      const record = { ...known, keys: [...known.keys, key] };
      return { outcome: 'rotated', writes: [this.#putClient(record, revision)] };
    });
  }

  revoke(client: ClientId, reason: string): Promise<'revoked' | 'unknown'> {
    return this.#untilWritten(client, async (known, revision) => {
      const invitation = await this.invitation(client);
      const withdrawn = invitation ? [this.#table.delete(keys.invitation(client))] : [];
      if (!known) return invitation ? { outcome: 'revoked', writes: withdrawn } : { outcome: 'unknown' };
      const record: ClientRecord = { ...known, state: 'revoked', reason };
      return { outcome: 'revoked', writes: [this.#putClient(record, revision), ...withdrawn] };
    });
  }

  async erase(client: ClientId): Promise<void> {
    const items = [keys.client(client), keys.clientListed(client), keys.invitation(client)];
    await this.#table.transact(items.map((key) => this.#table.delete(key)));
  }

  async putErasure(record: ErasureRecord): Promise<void> {
    await this.#table.transact([this.#table.put({ ...keys.erasure(record.client), ...record })]);
  }

  async erasure(client: ClientId): Promise<ErasureRecord | undefined> {
    const item = await this.#table.get(keys.erasure(client));
    return item && readErasure(item);
  }

  countRequest(client: ClientId, minute: number): Promise<number> {
    return this.#table.increment(keys.requests(client, minute), minute * 60 + nonceSlackSeconds);
  }

  async takeNonce(client: ClientId, nonce: string, untilMs: number): Promise<'fresh' | 'replayed'> {
    // The SDK may send a put twice: a mark of our own tells our first try from another's.
    const taker = randomUUID();
    const ttl = Math.ceil(untilMs / 1000) + nonceSlackSeconds;
    const item = { ...keys.nonce(client, nonce), taker, ttl };
    const outcome = await this.#table.putIf(item, 'attribute_not_exists(pk) OR taker = :taker', { ':taker': taker });
    return outcome === 'done' ? 'fresh' : 'replayed';
  }

  async #read(client: ClientId) {
    const item = await this.#table.get(keys.client(client));
    return item && readClient(item);
  }

  /** @param revision that the client must still have; undefined: it must not be there */
  #putClient(record: ClientRecord, revision: number | undefined): Write {
    const item = { ...keys.client(record.client), ...record, revision: (revision ?? 0) + 1 };
    return revision === undefined
      ? this.#table.put(item, 'attribute_not_exists(pk)')
      : this.#table.put(item, 'revision = :revision', { ':revision': revision });
  }

  /** Reads, decides and writes what was decided; again if the client or its invitation changed in between. */
  async #untilWritten<Outcome>(
    client: ClientId,
    decide: (
      known: ClientRecord | undefined,
      revision: number | undefined,
    ) => Promise<{ readonly outcome: Outcome; readonly writes?: readonly Write[] }>,
  ): Promise<Outcome> {
    for (let attempt = 0; attempt < tries; attempt++) {
      const read = await this.#read(client);
      const { outcome, writes } = await decide(read?.record, read?.revision);
      if (!writes || (await this.#table.transact(writes))) return outcome;
    }
    throw new FlError('busy', `too many changes of client "${client}" at once`, { retry: 'now', retryAfterMs: 200 });
  }
}
