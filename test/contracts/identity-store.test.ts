import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DynamoIdentityStore } from '../../functions/aws/dynamo-identity-store.ts';
import type { ClientId } from '../../shared/core/names.ts';
import type { IdentityStore, InvitationRecord, RegisteredKey } from '../../shared/ports/identity-store.ts';
import { MemoryIdentityStore } from '../memory/memory-identity-store.ts';
import { startStoreTable } from './store-table.ts';

/** The same suite on every adapter. */
const adapters: Record<string, () => Promise<{ store: IdentityStore; close(): Promise<void> }>> = {
  memory: async () => ({ store: new MemoryIdentityStore(), close: async () => {} }),
  dynamodb: async () => {
    const { documents, table, close } = await startStoreTable();
    return { store: new DynamoIdentityStore(documents, table), close };
  },
};

let made = 0;
const clientName = (prefix = 'client') => `${prefix}-${made++}` as ClientId;
const digest = () => String(made++).padStart(43, 'd');
const key = (addedAtMs = 5): RegisteredKey => {
  const x = String(made++).padStart(43, 'x');
  return { kid: x.replaceAll('x', 'k'), publicKey: { kty: 'OKP', crv: 'Ed25519', x }, addedAtMs };
};

describe.each(Object.keys(adapters))('the identity store over %s', (name) => {
  let store: IdentityStore;
  let close: () => Promise<void>;
  beforeAll(async () => {
    ({ store, close } = await adapters[name]());
  });
  afterAll(() => close());

  async function invited(client = clientName()): Promise<InvitationRecord> {
    const invitation = { client, codeDigest: digest(), expiresAtMs: 1_000 };
    await store.invite([invitation]);
    return invitation;
  }

  async function enrolled() {
    const invitation = await invited();
    const first = key();
    expect(await store.enrol(invitation, first)).toBe('enrolled');
    return { client: invitation.client, invitation, first };
  }

  test('keeps one invitation for each client, the latest', async () => {
    const records = Array.from({ length: 100 }, () => ({
      client: clientName(),
      codeDigest: digest(),
      expiresAtMs: 1_000,
    }));
    await store.invite(records);
    expect(await store.invitation(records[99].client)).toEqual(records[99]);
    const again = { ...records[0], codeDigest: digest() };
    await store.invite([again]);
    expect(await store.invitation(again.client)).toEqual(again);
    expect(await store.enrol(records[0], key())).toBe('used');
    expect(await store.invitation(clientName())).toBeUndefined();
  });

  test('makes a key that comes with an invitation the client’s', async () => {
    const { client, invitation, first } = await enrolled();
    expect(await store.client(client)).toEqual({ client, state: 'active', enrolledAtMs: 5, keys: [first] });
    expect(await store.invitation(client)).toEqual({ ...invitation, usedBy: first.kid });
    expect(await store.client(clientName())).toBeUndefined();
  });

  test('takes the same invitation with the same key again, and with no other', async () => {
    const { client, invitation, first } = await enrolled();
    expect(await store.enrol(invitation, first)).toBe('enrolled');
    expect(await store.enrol(invitation, key())).toBe('used');
    expect((await store.client(client))?.keys).toEqual([first]);
  });

  test('takes an invitation once, whoever comes with it at the same time', async () => {
    const invitation = await invited();
    const all = Array.from({ length: 8 }, () => key());
    const outcomes = await Promise.all(all.map((each) => store.enrol(invitation, each)));
    expect(outcomes.filter((outcome) => outcome === 'enrolled')).toHaveLength(1);
    expect((await store.client(invitation.client))?.keys).toEqual([all[outcomes.indexOf('enrolled')]]);
  });

  test('replaces the key of a client that is invited again, and keeps the old one', async () => {
    const { client, invitation, first } = await enrolled();
    const second = key(9);
    expect(await store.enrol(await invited(client), second)).toBe('enrolled');
    expect(await store.client(client)).toMatchObject({ enrolledAtMs: 5, keys: [first, second] });
    expect(await store.enrol(invitation, first)).toBe('used');
    expect(await store.enrol(await invited(client), first)).toBe('replaced');
    expect(await store.enrol(await invited(client), second)).toBe('enrolled');
    expect((await store.client(client))?.keys).toEqual([first, second]);
  });

  test('rotates from the key that signs now, for one of many who try', async () => {
    const { client, first } = await enrolled();
    const next = Array.from({ length: 5 }, () => key());
    const outcomes = await Promise.all(next.map((each) => store.rotate(client, first.kid, each)));
    expect(outcomes.sort()).toEqual(['refused', 'refused', 'refused', 'refused', 'rotated']);
    const keys = (await store.client(client))?.keys ?? [];
    expect(keys).toHaveLength(2);
    expect(await store.rotate(client, keys[1].kid, first)).toBe('replaced');
    expect(await store.rotate(client, first.kid, key())).toBe('refused');
    expect(await store.rotate(clientName(), first.kid, key())).toBe('refused');
  });

  test('revokes a client for the reason given, again as well as once, and neither rotates nor enrols it after that', async () => {
    const { client, invitation, first } = await enrolled();
    for (const reason of ['stolen', 'stolen in May']) expect(await store.revoke(client, reason)).toBe('revoked');
    expect(await store.client(client)).toMatchObject({ state: 'revoked', reason: 'stolen in May', keys: [first] });
    expect(await store.rotate(client, first.kid, key())).toBe('refused');
    expect(await store.enrol(invitation, first)).toBe('used');
  });

  test('takes a revocation back with an invitation made after it, not with one made before', async () => {
    const { client, first } = await enrolled();
    const before = await invited(client);
    await store.revoke(client, 'stolen');
    expect(await store.invitation(client)).toBeUndefined();
    expect(await store.enrol(before, key())).toBe('used');
    expect(await store.enrol(await invited(client), first)).toBe('enrolled');
    expect(await store.client(client)).toEqual({ client, state: 'active', enrolledAtMs: 5, keys: [first] });
  });

  test('withdraws the invitation of a client that never enrolled, and knows nothing of a stranger', async () => {
    const { client } = await invited();
    expect(await store.revoke(client, 'a mistake')).toBe('revoked');
    expect(await store.invitation(client)).toBeUndefined();
    expect(await store.revoke(client, 'again')).toBe('unknown');
  });

  test('lists clients by name, a page at a time, revoked ones too', async () => {
    const names = ['zz-b', 'zz-a', 'zz-c'] as ClientId[];
    for (const client of names) await store.enrol(await invited(client), key());
    await store.revoke(names[0], 'gone');
    const after = 'zz' as ClientId; // Everybody else is called client-N.
    expect((await store.clients(2, after)).map(({ client }) => client)).toEqual(['zz-a', 'zz-b']);
    expect((await store.clients(2, 'zz-b' as ClientId)).map(({ client }) => client)).toEqual(['zz-c']);
    expect((await store.clients(10, after)).map(({ state }) => state)).toEqual(['active', 'revoked', 'active']);
    expect((await store.clients(1))[0].client).toMatch(/^client-/);
  });

  test('takes a nonce once for each client', async () => {
    const [a, b] = [clientName(), clientName()];
    const outcomes = await Promise.all(Array.from({ length: 8 }, () => store.takeNonce(a, 'n', 1_000)));
    expect(outcomes.filter((outcome) => outcome === 'fresh')).toHaveLength(1);
    expect(await store.takeNonce(b, 'n', 1_000)).toBe('fresh');
    expect(await store.takeNonce(a, 'm', 1_000)).toBe('fresh');
  });
});

test('over dynamodb nonces and invitations carry the time after which they may be forgotten', async () => {
  const { documents, table, close } = await startStoreTable();
  const sent: unknown[] = [];
  documents.middlewareStack.add(
    (next) => (args) => {
      sent.push(args.input);
      return next(args);
    },
    { step: 'initialize' },
  );
  const store = new DynamoIdentityStore(documents, table);
  const client = clientName();
  await store.takeNonce(client, 'n', 1_790_000_060_000);
  await store.invite([{ client, codeDigest: digest(), expiresAtMs: 1_790_000_000_000 }]);
  await close();
  // Ten minutes after the proof, 90 days after the invitation, in seconds.
  expect(sent).toMatchObject([
    { Item: { pk: `NONCE#${client}#n`, ttl: 1_790_000_660 } },
    { TransactItems: [{ Put: { Item: { pk: `INVITATION#${client}`, ttl: 1_790_000_000 + 90 * 86_400 } } }] },
  ]);
});
