import { createPrivateKey, createPublicKey, sign, verify } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { loadKeyFile } from '../../../client/typescript/key-file-store.ts';
import { authorizer } from '../../../functions/authorizer.ts';
import { statementSchema, verifyStatement } from '../../../shared/wire/identity/statement.ts';
import { readSeal, sealKeySchema } from '../../../shared/wire/seal.ts';
import { MemoryIdentityStore } from '../../memory/memory-identity-store.ts';
import { type Signer, sha256 } from '../../memory/signer.ts';
import { hurtBytes, hurtJson, hurtJsonBytes } from '../mutate.ts';
import { must, type Target } from '../target.ts';

const encode = (text: string) => new TextEncoder().encode(text);
/** Byte for byte, as a header's value comes in. */
const latin1 = (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1');
const nowMs = 1_790_000_000_000;

// The same keys in every run, so that a failure is seen again by its path; nothing else uses them.
const okp = { kty: 'OKP', crv: 'Ed25519', x: 'XEHB0sQmVM2cz_mexTHtw1XkT3ddzsER0NB6wgxws2E' } as const;
const okpSecret = { ...okp, d: 'nWGxne_9WmC6hEr0kuwsERJxWl7MmkZcDusAxyuf2A0' };
const ec = {
  kty: 'EC',
  crv: 'P-256',
  x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
  y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
} as const;
const alice = {
  client: 'alice' as Signer['client'],
  kid: sha256(`{"crv":"Ed25519","kty":"OKP","x":"${okp.x}"}`),
  publicKey: okp,
  privateKey: createPrivateKey({ key: okpSecret, format: 'jwk' }),
};
const sealingKey = createPrivateKey({
  key: { ...ec, d: 'jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI' },
  format: 'jwk',
});

type Sign = (input: string) => Buffer;
const byAlice: Sign = (input) => sign(null, Buffer.from(input), alice.privateKey);
const byFederation: Sign = (input) =>
  sign('sha256', Buffer.from(input), { key: sealingKey, dsaEncoding: 'ieee-p1363' });

const part = (text: string) => Buffer.from(text).toString('base64url');
function signed(header: string, claims: string, by: Sign): string {
  const input = `${part(header)}.${part(claims)}`;
  return `${input}.${by(input).toString('base64url')}`;
}

/** The text hurt anywhere, and header or claims of another JSON under a signature that stands. */
function hurtJws(header: object, claims: object, by: Sign, scheme = ''): fc.Arbitrary<Uint8Array> {
  const [head, body] = [JSON.stringify(header), JSON.stringify(claims)];
  return fc.oneof(
    hurtBytes([encode(scheme + signed(head, body, by))]),
    hurtJson([head]).map((text) => encode(scheme + signed(text, body, by))),
    { weight: 2, arbitrary: hurtJson([body]).map((text) => encode(scheme + signed(head, text, by))) },
  );
}

class Denied extends Error {}
const isDenied = (error: unknown) => error instanceof Denied;
const [host, path] = ['api.example', '/v1/tasks/demo/tickets'];
const proofHeader = { alg: 'Ed25519', typ: 'tributary-proof+jwt', kid: alice.kid };
const proofClaims = {
  ...{ sub: 'alice', htm: 'POST', htu: `https://${host}${path}`, digest: sha256('{}') },
  ...{ iat: nowMs / 1000, jti: 'A'.repeat(22) },
};

/** The `Authorization` header before the authorizer, which lets in or not, and never throws. */
export const proof: Target = {
  name: 'proof',
  valid: [encode(`Tributary ${signed(JSON.stringify(proofHeader), JSON.stringify(proofClaims), byAlice)}`)],
  inputs: hurtJws(proofHeader, proofClaims, byAlice, 'Tributary '),
  async read(bytes) {
    const identities = new MemoryIdentityStore();
    const invitation = { client: alice.client, codeDigest: '', expiresAtMs: nowMs };
    await identities.invite([invitation]);
    await identities.enrol(invitation, { kid: alice.kid, publicKey: alice.publicKey, addedAtMs: 1 });
    const authorization = latin1(bytes);
    const event = {
      ...{ headers: { authorization }, rawPath: path, routeKey: `POST ${path}` },
      requestContext: { domainName: host, http: { method: 'POST', sourceIp: '192.0.2.7' } },
    };
    const answer = await authorizer({ identities, clock: { now: () => nowMs } })(event as never);
    must(answer.isAuthorized || Object.keys(answer).length === 1, 'a stranger learns why');
    if (!answer.isAuthorized) throw new Denied();
    must('context' in answer && answer.context.client === 'alice' && identities.nonces.size === 1, 'another caller');
    must(stands(authorization.slice('Tributary '.length)), 'a proof whose signature does not stand');
  },
  isRefusal: isDenied,
};

const said = {
  ...{ sub: 'alice', task: 'demo', ticket: 'A'.repeat(43), baseVersion: 3 },
  ...{ bytes: 100, sha256: '0'.repeat(64), examples: 20 },
};
const statementHeader = { alg: 'Ed25519', typ: 'tributary-update+jwt', kid: alice.kid };

/** A statement on an update, as an upload is opened with it. */
export const statement: Target = {
  name: 'statement',
  valid: [encode(signed(JSON.stringify(statementHeader), JSON.stringify(said), byAlice))],
  inputs: hurtJws(statementHeader, said, byAlice),
  async read(bytes) {
    const text = statementSchema.safeParse(latin1(bytes)).data;
    if (text === undefined) throw new Denied();
    await verifyStatement(text, alice.publicKey, said);
    must(stands(text), 'a statement whose signature does not stand');
  },
  isRefusal: isDenied,
};

const sealHeader = { alg: 'ES256', typ: 'tributary-version+jwt' };
const sealed = {
  ...{ task: 'demo', version: 2, origin: { kind: 'round' }, publishedAtMs: 5, updates: 3, examples: 60 },
  ...{ evaluation: { loss: 0.5, accuracy: 0.75, examples: 8 }, manifest: '1'.repeat(64), model: '2'.repeat(64) },
  ...{ state: { velocity: '3'.repeat(64) }, previous: '4'.repeat(64) },
};

/** A version's record, as whoever verifies a task reads it. */
export const seal: Target = {
  name: 'seal',
  valid: [encode(signed(JSON.stringify(sealHeader), JSON.stringify(sealed), byFederation))],
  inputs: hurtJws(sealHeader, sealed, byFederation),
  async read(bytes) {
    const text = latin1(bytes);
    const record = await readSeal(text, sealKeySchema.parse(ec));
    const [header, payload, signature] = text.split('.');
    const key = { key: createPublicKey({ key: ec, format: 'jwk' }), dsaEncoding: 'ieee-p1363' } as const;
    const holds = verify('sha256', Buffer.from(`${header}.${payload}`), key, Buffer.from(signature, 'base64url'));
    must(holds, 'a seal whose signature does not stand');
    const whole = JSON.parse(Buffer.from(payload, 'base64url').toString());
    must(isDeepStrictEqual(record, whole), 'a record that says another thing than was signed');
  },
};

const folder = mkdtempSync(join(tmpdir(), 'fuzz-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
const keyTexts = [
  JSON.stringify({ endpoint: 'https://api.example', client: 'alice', privateKey: okpSecret }, undefined, 2),
];

/** A client's key file: the key signs what its public half verifies, and no refusal quotes the secret. */
export const keyFile: Target = {
  name: 'key-file',
  valid: keyTexts.map(encode),
  inputs: hurtJsonBytes(keyTexts),
  async read(bytes) {
    const file = join(folder, 'alice.key');
    writeFileSync(file, bytes, { mode: 0o600 });
    const { endpoint, key } = await loadKeyFile(file).catch((error: Error) => {
      must(!error.message.includes(okpSecret.d), 'an error that quotes the secret');
      throw error;
    });
    must(/^https?:/.test(new URL(endpoint).protocol), 'no address');
    const signature = Buffer.from(await crypto.subtle.sign('Ed25519', key.privateKey, encode('a')));
    const publicKey = createPublicKey({ key: { ...key.publicKey }, format: 'jwk' });
    must(verify(null, encode('a'), publicKey, signature), 'a key that is no pair');
  },
};

/** By node:crypto, which knows nothing of JOSE. */
function stands(jws: string): boolean {
  const [header, claims, signature] = jws.split('.');
  const publicKey = createPublicKey({ key: { ...okp }, format: 'jwk' });
  return verify(null, Buffer.from(`${header}.${claims}`), publicKey, Buffer.from(signature, 'base64url'));
}
