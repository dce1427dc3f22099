import { createHash, createPublicKey, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { join } from 'node:path';
import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TicketResponse } from '../../shared/wire/api.ts';
import { type ClientKey, generateClientKey } from '../../shared/wire/identity/keys.ts';
import { proveRequest, signStatement } from '../../shared/wire/identity/sign.ts';
import { encodeSafetensors, parseSafetensors } from '../../shared/wire/safetensors.ts';
import { call, proofOf, signedCall } from './call.ts';
import {
  contribute,
  createSmallTask,
  freshAssembly,
  type RunningFederation,
  startFederation,
} from './small-federation.ts';

/** Hostile and honest clients against the bundles, the authorizer and the routes of the template: docs/decisions/0010. */

let federation: RunningFederation;
let endpoint: string;
const tickets = '/v1/tasks/proved/tickets';
const forbidden = { status: 403, body: { message: 'Forbidden' } };

beforeAll(async () => {
  federation = await startFederation(await freshAssembly());
  ({ endpoint } = federation);
  await createSmallTask(federation.api, { task: 'proved', round: { buffer: 1 }, selection: { concurrency: 100 } });
});
afterAll(() => federation?.close());

async function codeFor(client: string): Promise<string> {
  return (await federation.api.invite({ clients: [client] })).invitations[0].code;
}

const enrol = ({ client, publicKey }: ClientKey, code: string, by: ClientKey) =>
  signedCall(endpoint, by, 'POST', '/v1/enrolments', { code, client, publicKey });

async function rotate(from: ClientKey, to: ClientKey) {
  const proof = await proveRequest(
    to,
    { method: 'POST', url: `${endpoint}/v1/keys`, body: new Uint8Array() },
    Date.now(),
  );
  return signedCall(endpoint, from, 'POST', '/v1/keys', { publicKey: to.publicKey, proof });
}

/** A ticket, and the upload of a well-formed update on it, opened but not yet put. */
async function openUpload(key: ClientKey) {
  const { client } = key;
  const ticket: TicketResponse = (await signedCall(endpoint, key, 'POST', tickets, {})).body;
  const { layout, values } = parseSafetensors(new Uint8Array(await (await fetch(ticket.modelUrl)).arrayBuffer()));
  const { baseVersion } = ticket;
  const metadata = { task: 'proved', baseVersion: String(baseVersion), codec: 'float32', examples: '10' };
  const bytes = encodeSafetensors({ layout, values, metadata });
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const declared = { bytes: bytes.length, sha256, examples: 10 };
  const said = { sub: client, task: 'proved', ticket: ticket.ticket, baseVersion, ...declared };
  const path = `/v1/tickets/${ticket.ticket}/upload`;
  const body = { ...declared, metrics: {}, statement: await signStatement(key, said) };
  const { url, headers } = (await signedCall(endpoint, key, 'POST', path, body)).body;
  return { ticket: ticket.ticket, put: () => fetch(url, { method: 'PUT', headers, body: Buffer.from(bytes) }) };
}

describe('a stranger', () => {
  test('without a proof gets 401, with a bad one a bare 403, and the date', async () => {
    expect(await call(endpoint, 'POST', tickets, { body: {} })).toMatchObject({
      status: 401,
      body: { message: 'Unauthorized' },
    });
    const stranger = await generateClientKey('stranger');
    const answer = await signedCall(endpoint, stranger, 'POST', tickets, {});
    expect(answer).toMatchObject(forbidden);
    expect(Date.parse(answer.date ?? '')).toBeGreaterThan(1_700_000_000_000);
  });

  test("with another client's name and a key of his own is refused", async () => {
    await federation.key('alice');
    expect(await signedCall(endpoint, await generateClientKey('alice'), 'POST', tickets, {})).toMatchObject(forbidden);
  });

  test('cannot take a proof of another path, method, time or body, nor one that was used', async () => {
    const key = await federation.key('alice');
    const send = (authorization: string, body: unknown = {}) =>
      call(endpoint, 'POST', tickets, { body, authorization });
    const others = [
      await proofOf(endpoint, key, 'POST', '/v1/tasks/other/tickets', {}),
      await proofOf(endpoint, key, 'GET', tickets, {}),
      await proofOf('http://evil.example', key, 'POST', tickets, {}),
      await proofOf(endpoint, key, 'POST', tickets, {}, Date.now() - 90_000),
      await proofOf(endpoint, key, 'POST', tickets, {}, Date.now() + 90_000),
    ];
    for (const authorization of others) expect(await send(authorization)).toMatchObject(forbidden);
    expect(await send(await proofOf(endpoint, key, 'POST', tickets, {}), { have: 0 })).toMatchObject({
      status: 403,
      body: { code: 'proof-digest' },
    });
    const once = await proofOf(endpoint, key, 'POST', tickets, { have: 0 });
    expect((await send(once, { have: 0 })).status).toBe(201);
    expect(await send(once, { have: 0 })).toMatchObject(forbidden);
  });

  test('cannot send two proofs and have one of them looked at', async () => {
    const key = await federation.key('alice');
    const proofs = await Promise.all([1, 2].map(() => proofOf(endpoint, key, 'POST', tickets)));
    const status = await new Promise((resolve, reject) => {
      const headers = ['host', new URL(endpoint).host, ...proofs.flatMap((proof) => ['authorization', proof])];
      const sent = httpRequest(`${endpoint}${tickets}`, { method: 'POST', headers }, (response) => {
        resolve(response.resume().statusCode);
      });
      sent.once('error', reject).end();
    });
    expect(status).toBe(403);
  });
});

describe('an invitation', () => {
  test('is for one key: again with it is the same, with another is refused', async () => {
    const key = await generateClientKey('bob');
    const code = await codeFor('bob');
    const first = await enrol(key, code, key);
    expect(first).toMatchObject({ status: 201, body: { client: 'bob', kid: key.kid } });
    expect((await enrol(key, code, key)).body).toEqual(first.body);
    const other = await generateClientKey('bob');
    expect(await enrol(other, code, other)).toMatchObject({ status: 409, body: { code: 'invitation-used' } });
    expect(await federation.api.client('bob')).toMatchObject({ state: 'active', keys: [{ kid: key.kid }] });
  });

  test('is of no use without the key, or with a code that is wrong', async () => {
    const [key, thief] = [await generateClientKey('carol'), await generateClientKey('carol')];
    const code = await codeFor('carol');
    expect(await enrol(key, code, { ...thief, kid: key.kid })).toMatchObject({
      status: 403,
      body: { code: 'proof-forged' },
    });
    expect(await enrol(thief, 'x'.repeat(43), thief)).toMatchObject({
      status: 404,
      body: { code: 'invitation-unknown' },
    });
    expect((await enrol(key, code, key)).status).toBe(201);
  });
});

test('a rotated key is refused at once, the new one taken, and the old one kept', async () => {
  const [old, next] = [await federation.key('dora'), await generateClientKey('dora')];
  expect(await rotate(old, next)).toMatchObject({ status: 201, body: { client: 'dora', kid: next.kid } });
  expect(await signedCall(endpoint, old, 'POST', tickets, {})).toMatchObject(forbidden);
  expect((await signedCall(endpoint, next, 'POST', tickets, {})).status).toBe(201);
  expect((await federation.api.client('dora')).keys.map(({ kid }) => kid)).toEqual([old.kid, next.kid]);
});

test('a revoked client is refused, its ticket ends, and its update under way goes into quarantine', async () => {
  const key = await federation.key('eve');
  const { ticket, put } = await openUpload(key);
  await federation.api.revoke('eve', 'key stolen');
  expect(await signedCall(endpoint, key, 'GET', `/v1/tickets/${ticket}`)).toMatchObject(forbidden);
  expect((await put()).status).toBe(200);
  await federation.cloud.idle();
  const { quarantine, version } = await federation.api.task('proved');
  expect(quarantine).toMatchObject([{ client: 'eve', reason: 'client-revoked', ticket }]);
  expect(version).toBe(0);
});

test("who contributed what to a version can be proved by its manifest and the client's public key", async () => {
  await contribute(federation, 'proved', 'frank', () => 0.5);
  await federation.cloud.idle();
  const { credentials, endpoints, outputs } = federation.cloud;
  const s3 = new S3Client({ endpoint: endpoints.s3, region: credentials.region, credentials, forcePathStyle: true });
  const Key = 'tasks/proved/rounds/1-0/manifest.json';
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: outputs.ModelsBucket, Key }));
  const { updates } = JSON.parse((await Body?.transformToString()) ?? '{}');
  s3.destroy();
  expect(updates).toHaveLength(1);
  const [header, claims, signature] = updates[0].statement.split('.');
  const decoded = (part: string) => JSON.parse(Buffer.from(part, 'base64url').toString());
  const { keys } = await federation.api.client('frank');
  const used = keys.find(({ kid }) => kid === decoded(header).kid);
  const publicKey = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: used?.x }, format: 'jwk' });
  expect(verify(null, Buffer.from(`${header}.${claims}`), publicKey, Buffer.from(signature, 'base64url'))).toBe(true);
  const { sha256, ticket, examples } = updates[0];
  expect(decoded(claims)).toMatchObject({ sub: 'frank', task: 'proved', baseVersion: 0, sha256, ticket, examples });
});

test('the operator finds the reasons in the log and never a proof, and no function lacked a grant', async () => {
  const log = readFileSync(join(federation.cloud.logs, 'tributary-dev-authorize-client.log'), 'utf8');
  for (const reason of [
    'client-unknown',
    'key-replaced',
    'proof-foreign',
    'proof-stale',
    'proof-replayed',
    'client-revoked',
  ]) {
    expect(log).toContain(reason);
  }
  expect(log).not.toMatch(/eyJ[\w-]{20}/);
  expect(federation.cloud.denials()).toEqual([]);
});
