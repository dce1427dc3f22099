import { beforeEach, describe, expect, test } from 'vitest';
import { invite } from '../../../shared/orchestrator/clients.ts';
import { enrol, mostKeys, rotateKey } from '../../../shared/orchestrator/enrol.ts';
import { enrolSchema, inviteSchema } from '../../../shared/wire/identity/api.ts';
import { clientId } from '../../memory/federation.ts';
import { MemoryIdentityStore } from '../../memory/memory-identity-store.ts';
import { type Forgery, newSigner, proofOf, type Signer, sha256 } from '../../memory/signer.ts';

const host = 'api.example';
const enrolment = { method: 'POST', host, path: '/v1/enrolments' };
const rotation = { method: 'POST', host, path: '/v1/keys' };
const alice = clientId('alice');

let nowMs: number;
let identities: MemoryIdentityStore;
let made: number;
const ports = () => ({
  identities,
  clock: { now: () => nowMs },
  codes: { next: () => String(made++).padStart(43, 'c') },
});

beforeEach(() => {
  nowMs = 1_790_000_000_000;
  identities = new MemoryIdentityStore();
  made = 0;
});

async function codeFor(client: string, lifetimeMs = 60_000): Promise<string> {
  const { invitations } = await invite(ports(), inviteSchema.parse({ clients: [client], lifetimeMs }));
  return invitations[0].code;
}

/** An enrolment as it arrives: a body, and a proof over its bytes. */
function come(signer: Signer, code: string, { as = signer, forgery }: { as?: Signer; forgery?: Forgery } = {}) {
  const body = { code, client: signer.client, publicKey: signer.publicKey };
  const text = JSON.stringify(body);
  const proof = { method: 'POST', url: `https://${host}/v1/enrolments`, body: text, nowMs };
  const authorization = proofOf(as, proof, forgery);
  return enrol(ports(), enrolSchema.parse(body), { authorization, address: enrolment, digest: sha256(text) });
}

function change(
  from: Signer,
  to: Signer,
  { as = to, body = '', forgery }: { as?: Signer; body?: string; forgery?: Forgery } = {},
) {
  const proof = proofOf(as, { method: 'POST', url: `https://${host}/v1/keys`, body, nowMs }, forgery);
  return rotateKey(ports(), { client: from.client, kid: from.kid }, { publicKey: to.publicKey, proof }, rotation);
}

const keysOf = async () => (await identities.client(alice))?.keys.map(({ kid }) => kid);

describe('an enrolment', () => {
  test('registers the key that came with the code, and keeps of the code its SHA-256 only', async () => {
    const signer = newSigner('alice');
    const code = await codeFor('alice');
    expect(await come(signer, code)).toEqual({ client: 'alice', kid: signer.kid });
    expect(await identities.client(alice)).toEqual({
      client: 'alice',
      state: 'active',
      enrolledAtMs: nowMs,
      keys: [{ kid: signer.kid, publicKey: signer.publicKey, addedAtMs: nowMs }],
    });
    const kept = JSON.stringify([...identities.invitations.values()]);
    expect(kept).toContain(sha256(code));
    expect(kept).not.toContain(code);
  });

  test('answers the same to the same key again, also after the invitation has run out', async () => {
    const signer = newSigner('alice');
    const code = await codeFor('alice');
    const first = await come(signer, code);
    nowMs += 3_600_000;
    expect(await come(signer, code)).toEqual(first);
    expect(await keysOf()).toEqual([signer.kid]);
  });

  test('is refused with a code that somebody else has used', async () => {
    const code = await codeFor('alice');
    await come(newSigner('alice'), code);
    await expect(come(newSigner('alice'), code)).rejects.toMatchObject({ code: 'invitation-used' });
  });

  test('is refused with a code that is unknown, of another client, replaced by a later one, or late', async () => {
    const code = await codeFor('alice');
    await expect(come(newSigner('alice'), 'x'.repeat(43))).rejects.toMatchObject({ code: 'invitation-unknown' });
    await expect(come(newSigner('bob'), code)).rejects.toMatchObject({ code: 'invitation-unknown' });
    const later = await codeFor('alice');
    await expect(come(newSigner('alice'), code)).rejects.toMatchObject({ code: 'invitation-unknown' });
    nowMs += 60_000;
    await expect(come(newSigner('alice'), later)).rejects.toMatchObject({ code: 'invitation-expired' });
    expect(await identities.client(alice)).toBeUndefined();
  });

  test.each<[string, string, (signer: Signer) => { as?: Signer; forgery?: Forgery }]>([
    ['by another key', 'proof-forged', (signer) => ({ as: { ...newSigner('alice'), kid: signer.kid } })],
    ['that names another key', 'proof-malformed', () => ({ forgery: { header: { kid: 'k'.repeat(43) } } })],
    ['of another client', 'proof-foreign', () => ({ forgery: { claims: { sub: 'bob' } } })],
    ['for another body', 'proof-digest', () => ({ forgery: { claims: { digest: sha256('{}') } } })],
    ['for another address', 'proof-foreign', () => ({ forgery: { claims: { htu: `https://${host}/v1/keys` } } })],
    [
      'for another federation',
      'proof-foreign',
      () => ({ forgery: { claims: { htu: 'https://b.example/v1/enrolments' } } }),
    ],
    ['of long ago', 'proof-stale', () => ({ forgery: { claims: { iat: 1_700_000_000 } } })],
  ])('is refused with a proof %s, and the code may still be used', async (_, code, wrong) => {
    const signer = newSigner('alice');
    const invitation = await codeFor('alice');
    await expect(come(signer, invitation, wrong(signer))).rejects.toMatchObject({ code });
    expect(await come(signer, invitation)).toMatchObject({ client: 'alice' });
  });

  test('is refused to a key under which everybody can sign', async () => {
    // The neutral element as public key: [S]B = R + [k]A holds for every message with R = B and S = 1 (RFC 8032, 5.1.7).
    const one = Buffer.alloc(32);
    one[0] = 1;
    const basePoint = Buffer.alloc(32, 0x66);
    basePoint[0] = 0x58;
    const publicKey = { kty: 'OKP', crv: 'Ed25519', x: one.toString('base64url') } as const;
    const kid = sha256(`{"crv":"Ed25519","kty":"OKP","x":"${publicKey.x}"}`);
    const everybody = { ...newSigner('alice'), publicKey, kid };
    const forgery = { sign: () => Buffer.concat([basePoint, one]) };
    await expect(come(everybody, await codeFor('alice'), { forgery })).rejects.toMatchObject({ code: 'proof-forged' });
  });

  test('with a new invitation replaces the key, and takes a revocation back', async () => {
    const [first, second] = [newSigner('alice'), newSigner('alice')];
    const code = await codeFor('alice');
    await come(first, code);
    await identities.revoke(alice, 'lost');
    await expect(come(first, code)).rejects.toMatchObject({ code: 'invitation-unknown' });
    await come(second, await codeFor('alice'));
    expect(await identities.client(alice)).toMatchObject({ state: 'active' });
    expect(await keysOf()).toEqual([first.kid, second.kid]);
    const third = await codeFor('alice');
    await expect(come(first, third)).rejects.toMatchObject({ code: 'key-replaced' });
  });
});

describe('a rotation', () => {
  let first: Signer;
  beforeEach(async () => {
    first = newSigner('alice');
    await come(first, await codeFor('alice'));
  });

  test('replaces the key, and keeps the old one to verify old updates with', async () => {
    const second = newSigner('alice');
    expect(await change(first, second)).toEqual({ client: 'alice', kid: second.kid });
    expect(await keysOf()).toEqual([first.kid, second.kid]);
  });

  test('answers the same again when the new key signs already', async () => {
    const second = newSigner('alice');
    await change(first, second);
    expect(await change(second, second)).toEqual({ client: 'alice', kid: second.kid });
    expect(await keysOf()).toEqual([first.kid, second.kid]);
  });

  test('never goes back to a key that was replaced', async () => {
    const second = newSigner('alice');
    await change(first, second);
    await expect(change(second, first)).rejects.toMatchObject({ code: 'key-replaced' });
  });

  test.each<[string, string, (second: Signer) => { as?: Signer; body?: string; forgery?: Forgery }]>([
    ['by the old key', 'proof-forged', (second) => ({ as: { ...first, kid: second.kid } })],
    ['of another client', 'proof-foreign', () => ({ forgery: { claims: { sub: 'bob' } } })],
    ['of some body', 'proof-digest', () => ({ body: '{}' })],
    ['for an enrolment', 'proof-foreign', () => ({ forgery: { claims: { htu: `https://${host}/v1/enrolments` } } })],
  ])('is refused with a second proof %s', async (_, code, wrong) => {
    const second = newSigner('alice');
    await expect(change(first, second, wrong(second))).rejects.toMatchObject({ code });
    expect(await keysOf()).toEqual([first.kid]);
  });

  test('is refused to a client that was revoked, or rotated elsewhere, while it asked', async () => {
    await change(first, newSigner('alice'));
    await expect(change(first, newSigner('alice'))).rejects.toMatchObject({ code: 'client-revoked' });
    await identities.revoke(alice, 'lost');
    await expect(change(first, newSigner('alice'))).rejects.toMatchObject({ code: 'client-revoked' });
  });

  test('is refused to a client that has had too many keys', async () => {
    const record = await identities.client(alice);
    const keys = Array.from({ length: mostKeys }, () => newSigner('alice'));
    if (record) {
      identities.records.set(alice, {
        ...record,
        keys: keys.map(({ kid, publicKey }) => ({ kid, publicKey, addedAtMs: 1 })),
      });
    }
    await expect(change(keys[mostKeys - 1], newSigner('alice'))).rejects.toMatchObject({ code: 'keys-too-many' });
  });
});
