import { decodeProtectedHeader, importJWK, jwtVerify } from 'jose';
import { expect, test } from 'vitest';
import { digestOf, proveRequest, signStatement } from '../../../../shared/wire/identity/sign.ts';
import { ann } from '../../../client/ann.ts';

const publicKey = await importJWK(ann.publicKey, 'Ed25519');
const nowMs = Date.UTC(2026, 0, 1, 12, 0, 0, 750);
const request = { method: 'POST', url: 'https://api.test/v1/keys', body: new TextEncoder().encode('abc') };
const said = { sub: 'ann', task: 't', ticket: 'T', baseVersion: 3, bytes: 9, sha256: 'ab', examples: 2 };

/** What jose, another implementation, makes of a signature. */
const verify = (jws: string, typ: string) =>
  jwtVerify(jws, publicKey, { algorithms: ['Ed25519'], typ, currentDate: new Date(nowMs) });

test('a proof is a JWS over method, address, digest, time and nonce, and names its key', async () => {
  const [scheme, jws, ...rest] = (await proveRequest(ann, request, nowMs)).split(' ');
  expect([scheme, rest]).toEqual(['Tributary', []]);
  const { payload, protectedHeader } = await verify(jws, 'tributary-proof+jwt');
  expect(protectedHeader).toEqual({
    alg: 'Ed25519',
    typ: 'tributary-proof+jwt',
    kid: 'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k',
  });
  expect(payload).toEqual({
    sub: 'ann',
    htm: 'POST',
    htu: 'https://api.test/v1/keys',
    // SHA-256 of "abc": FIPS 180-2, appendix B.1.
    digest: Buffer.from('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad', 'hex').toString(
      'base64url',
    ),
    iat: Math.floor(nowMs / 1000),
    jti: expect.stringMatching(/^[A-Za-z0-9_-]{22}$/),
  });
});

test('no two proofs have the same nonce', async () => {
  const proofs = await Promise.all(Array.from({ length: 50 }, () => proveRequest(ann, request, nowMs)));
  expect(new Set(proofs).size).toBe(50);
});

test('the digest of no bytes is that of the empty text', async () => {
  expect(await digestOf(new Uint8Array())).toBe('47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU');
});

test('a statement is a JWS of its own type, and the same again for the same update', async () => {
  const jws = await signStatement(ann, said);
  const { payload } = await verify(jws, 'tributary-update+jwt');
  expect(payload).toEqual(said);
  await expect(verify(jws, 'tributary-proof+jwt')).rejects.toThrow();
  expect(decodeProtectedHeader(jws).kid).toBe(ann.kid);
  const { examples, ...others } = said;
  expect(await signStatement(ann, { examples, ...others })).toBe(jws);
});

test('a name in letters of other scripts is signed as UTF-8', async () => {
  const jws = await signStatement(ann, { ...said, task: 'tâche-课' });
  expect((await verify(jws, 'tributary-update+jwt')).payload.task).toBe('tâche-课');
});
