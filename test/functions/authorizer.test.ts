import { createHmac } from 'node:crypto';
import type { APIGatewayRequestAuthorizerEventV2 } from 'aws-lambda';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { authorizer } from '../../functions/authorizer.ts';
import { logger } from '../../functions/logger.ts';
import type { RegisteredKey } from '../../shared/ports/identity-store.ts';
import { MemoryIdentityStore } from '../memory/memory-identity-store.ts';
import { type Forgery, jws, newSigner, proofOf, type Request, type Signer, sha256 } from '../memory/signer.ts';

const nowMs = 1_790_000_000_000;
const host = 'abcdefghij.execute-api.eu-west-1.amazonaws.com';
const path = '/v1/tasks/demo/tickets';
const request: Request = { method: 'POST', url: `https://${host}${path}`, body: '{}', nowMs };

const alice = newSigner('alice');
const mallory = newSigner('mallory');
const registered = ({ kid, publicKey }: Signer): RegisteredKey => ({ kid, publicKey, addedAtMs: 1 });

let identities: MemoryIdentityStore;
let logged: string[];

beforeEach(async () => {
  identities = new MemoryIdentityStore();
  for (const signer of [alice, mallory]) {
    const invitation = { client: signer.client, codeDigest: signer.kid, expiresAtMs: nowMs };
    await identities.invite([invitation]);
    await identities.enrol(invitation, registered(signer));
  }
  logged = [];
  vi.spyOn(logger, 'warn').mockImplementation((...parts) => void logged.push(JSON.stringify(parts)));
});
afterEach(() => vi.restoreAllMocks());

function ask(authorization: string | undefined, event: Partial<APIGatewayRequestAuthorizerEventV2> = {}) {
  return authorizer({ identities, clock: { now: () => nowMs } })({
    version: '2.0',
    type: 'REQUEST',
    routeArn: 'arn:aws:execute-api:eu-west-1:123456789012:abcdefghij/$default/POST/v1/tasks/demo/tickets',
    identitySource: authorization === undefined ? [] : [authorization],
    routeKey: 'POST /v1/tasks/{task}/tickets',
    rawPath: path,
    rawQueryString: '',
    cookies: [],
    ...event,
    headers: { ...(authorization !== undefined && { authorization }), ...event.headers },
    requestContext: {
      accountId: '123456789012',
      apiId: 'abcdefghij',
      domainName: host,
      domainPrefix: 'abcdefghij',
      http: { method: 'POST', path, protocol: 'HTTP/1.1', sourceIp: '192.0.2.7', userAgent: 'probe' },
      requestId: 'r',
      routeKey: 'POST /v1/tasks/{task}/tickets',
      stage: '$default',
      time: '',
      timeEpoch: nowMs,
      ...event.requestContext,
    },
  });
}

const proof = (changes: Partial<Request> = {}, forgery: Forgery = {}) =>
  proofOf(alice, { ...request, ...changes }, forgery);

test('lets a proved request in, and passes on who asks and for which body', async () => {
  expect(await ask(proof())).toEqual({
    isAuthorized: true,
    context: { client: 'alice', kid: alice.kid, digest: sha256('{}') },
  });
  expect(logged).toEqual([]);
});

test.each([
  ['60 s old', { nowMs: nowMs - 60_000 }],
  ['60 s ahead', { nowMs: nowMs + 60_000 }],
  ['for http, as the local cloud speaks it', { url: `http://${host}${path}` }],
  ['for the host in capitals', { url: `https://${host.toUpperCase()}${path}` }],
])('takes a proof %s', async (_, changes) => {
  expect(await ask(proof(changes))).toMatchObject({ isAuthorized: true });
});

const hmac = (input: string) =>
  createHmac('sha256', Buffer.from(alice.publicKey.x, 'base64url')).update(input).digest();

describe('refuses, and tells the operator why', () => {
  test.each<[string, string | undefined, string]>([
    ['nothing', undefined, 'proof-malformed'],
    ['another scheme', proof().replace('Tributary', 'Bearer'), 'proof-malformed'],
    ['the scheme alone', 'Tributary ', 'proof-malformed'],
    ['rubbish', 'Tributary a.b.c', 'proof-malformed'],
    ['two values, as API Gateway joins them', `${proof()},${proof()}`, 'proof-malformed'],
    ['two values, as Node joins them', `${proof()}, ${proof()}`, 'proof-malformed'],
    ['one longer than any honest one', proof({}, { claims: { padding: 'x'.repeat(2_000) } }), 'proof-malformed'],
    ['an unknown client', proofOf(newSigner('nobody'), request), 'client-unknown'],
    ['a name with other characters', proof({}, { claims: { sub: 'alice#x' } }), 'proof-malformed'],
    [
      "another client's name over one's own key",
      proofOf(mallory, request, { claims: { sub: 'alice' } }),
      'key-replaced',
    ],
    [
      "another client's key id as well",
      proofOf({ ...mallory, client: alice.client, kid: alice.kid }, request),
      'proof-forged',
    ],
    [
      'a key that the header brings along',
      proofOf({ ...mallory, client: alice.client, kid: alice.kid }, request, { header: { jwk: mallory.publicKey } }),
      'proof-forged',
    ],
    ['another method', proof({ method: 'GET' }), 'proof-foreign'],
    ['another path', proof({ url: `https://${host}/v1/tasks/other/tickets` }), 'proof-foreign'],
    ['a query', proof({ url: `https://${host}${path}?a=1` }), 'proof-foreign'],
    ['another host', proof({ url: `https://evil.example${path}` }), 'proof-foreign'],
    ['a user before the host', proof({ url: `https://${host}@evil.example${path}` }), 'proof-foreign'],
    ['another scheme of URL', proof({ url: `ftp://${host}${path}` }), 'proof-foreign'],
    ['one 61 s old', proof({ nowMs: nowMs - 61_000 }), 'proof-stale'],
    ['one 61 s ahead', proof({ nowMs: nowMs + 61_000 }), 'proof-stale'],
    [
      'no signature at all (alg none)',
      proof({}, { header: { alg: 'none' }, sign: () => new Uint8Array() }),
      'proof-malformed',
    ],
    ['an HMAC with the public key (HS256)', proof({}, { header: { alg: 'HS256' }, sign: hmac }), 'proof-malformed'],
    ['the older name of the algorithm', proof({}, { header: { alg: 'EdDSA' } }), 'proof-malformed'],
    ['a signature of zeros', proof({}, { sign: () => new Uint8Array(64) }), 'proof-forged'],
    ['an unencoded payload (RFC 7797)', proof({}, { header: { b64: false, crit: ['b64'] } }), 'proof-malformed'],
    ['an extension that nobody knows', proof({}, { header: { crit: ['x'], x: 1 } }), 'proof-malformed'],
    ['no key id', proof({}, { header: { kid: undefined } }), 'proof-malformed'],
    [
      'a statement in place of a proof',
      `Tributary ${jws(alice, 'tributary-update+jwt', { sub: 'alice' })}`,
      'proof-malformed',
    ],
    ['no nonce', proof({}, { claims: { jti: undefined } }), 'proof-malformed'],
    ['a nonce that is easily guessed', proof({}, { claims: { jti: 'a' } }), 'proof-malformed'],
    ['no digest', proof({}, { claims: { digest: undefined } }), 'proof-malformed'],
    ['an age that is no number', proof({}, { claims: { iat: String(nowMs / 1000) } }), 'proof-malformed'],
  ])('%s', async (_, authorization, code) => {
    expect(await ask(authorization)).toEqual({ isAuthorized: false });
    expect(logged).toEqual([expect.stringContaining(`"code":"${code}"`)]);
  });

  test('a changed claim', async () => {
    const [header, , signature] = proof().split('.');
    const claims = Buffer.from(JSON.stringify({ sub: 'alice', htm: 'POST' })).toString('base64url');
    expect(await ask([header, claims, signature].join('.'))).toEqual({ isAuthorized: false });
    expect(logged[0]).toContain('proof-forged');
  });

  test('a proof that was taken before, and not the next one', async () => {
    const once = proof();
    expect(await ask(once)).toMatchObject({ isAuthorized: true });
    expect(await ask(once)).toEqual({ isAuthorized: false });
    expect(logged[0]).toContain('proof-replayed');
    expect(await ask(proof())).toMatchObject({ isAuthorized: true });
  });

  test('the key before the last', async () => {
    const next = { ...newSigner('alice') };
    await identities.rotate(alice.client, alice.kid, registered(next));
    expect(await ask(proof())).toEqual({ isAuthorized: false });
    expect(logged[0]).toContain('key-replaced');
    expect(await ask(proofOf(next, request))).toMatchObject({ isAuthorized: true, context: { kid: next.kid } });
  });

  test('a client that is revoked, from the next request on', async () => {
    expect(await ask(proof())).toMatchObject({ isAuthorized: true });
    await identities.revoke(alice.client, 'stolen');
    expect(await ask(proof())).toEqual({ isAuthorized: false });
    expect(logged[0]).toContain('client-revoked');
    expect(await ask(proofOf(mallory, request))).toMatchObject({ isAuthorized: true });
  });
});

test('the log never holds the proof', async () => {
  const refused = proof({ method: 'GET' });
  await ask(refused);
  const [, ...parts] = refused.split(/[ .]/);
  expect(parts).toHaveLength(3);
  for (const part of parts) expect(logged[0]).not.toContain(part);
});

test('a refused proof does not use up its nonce', async () => {
  const once = proof();
  expect(await ask(once, { rawPath: '/v1/elsewhere' })).toEqual({ isAuthorized: false });
  expect(await ask(once)).toMatchObject({ isAuthorized: true });
});

test('fails, and lets nobody in, when the store does', async () => {
  vi.spyOn(identities, 'takeNonce').mockRejectedValue(new Error('throttled'));
  await expect(ask(proof())).rejects.toThrow('throttled');
});
