import { writeFileSync } from 'node:fs';
import { layoutOf } from '../../../shared/core/params.ts';
import { proveRequest } from '../../../shared/wire/identity/sign.ts';
import { readKeyFile } from '../../../shared/wire/identity/keys.ts';
import { signStatement } from '../../../shared/wire/identity/sign.ts';
import { encodeSafetensors } from '../../../shared/wire/safetensors.ts';

// What clients in every language must reproduce byte for byte: Ed25519 signatures have no randomness of their own.
// Run by hand: node test/vectors/wire/client-wire.ts

/** RFC 8037, appendix A. */
const keyFile = {
  endpoint: 'https://federation.example',
  client: 'hospital-7',
  privateKey: {
    kty: 'OKP',
    crv: 'Ed25519',
    d: 'nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A',
    x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo',
  },
};
const nowMs = 1_790_000_000_123;
const { key } = await readKeyFile(keyFile);

const requests = [
  { method: 'POST', url: 'https://federation.example/v1/tasks/digits/tickets', body: '{}' },
  { method: 'GET', url: 'https://federation.example/v1/tickets/abc', body: '' },
];
const proofs = [];
for (const request of requests) {
  const authorization = await proveRequest(key, { ...request, body: new TextEncoder().encode(request.body) }, nowMs);
  const claims = JSON.parse(Buffer.from(authorization.split('.')[1], 'base64url').toString());
  proofs.push({ ...request, nonce: claims.jti, authorization });
}

const claims = {
  sub: key.client,
  task: 'digits',
  ticket: 't'.repeat(43),
  baseVersion: 3,
  bytes: 176,
  sha256: 'ab'.repeat(32),
  examples: 600,
};
const layout = layoutOf([
  { name: 'fc.weight', shape: [2, 3] },
  { name: 'fc.bias', shape: [2] },
]);
const values = Float32Array.of(1, -2.5, 3e-8, 0, -0, 1e30, 0.1, 7);
const metadata = { task: 'digits', baseVersion: '3', examples: '600' };
const file = Buffer.from(encodeSafetensors({ layout, values, metadata })).toString('base64');

const vectors = {
  source: 'client-wire.ts; the key and its thumbprint: RFC 8037, appendix A.1 and A.3',
  keyFile,
  kid: 'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k',
  nowMs,
  proofs,
  statement: { claims, jws: await signStatement(key, claims) },
  update: { shapes: { 'fc.weight': [2, 3], 'fc.bias': [2] }, values: [...values].map(String), metadata, file },
};
writeFileSync(new URL('client-wire.json', import.meta.url), `${JSON.stringify(vectors, null, 2)}\n`);
