import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { writeUpdate } from '../../client/typescript/update-codec.ts';
import { layoutOf } from '../../shared/core/params.ts';
import { randomFrom } from '../../shared/core/random.ts';
import { codecSchema } from '../../shared/wire/codec-config.ts';
import { readKeyFile } from '../../shared/wire/identity/keys.ts';
import { proveRequest, signStatement } from '../../shared/wire/identity/sign.ts';

/** What clients in every language put on the wire: client/python/tests/test_vectors.py checks the same file. */

const numbers = z.array(z.string()).transform((texts) => Float32Array.from(texts, Number));
const vectors = z
  .object({
    keyFile: z.unknown(),
    kid: z.string(),
    nowMs: z.number(),
    proofs: z.array(z.record(z.enum(['method', 'url', 'body', 'nonce', 'authorization']), z.string())),
    statement: z.object({
      claims: z.object({
        sub: z.string(),
        task: z.string(),
        ticket: z.string(),
        baseVersion: z.number(),
        bytes: z.number(),
        sha256: z.string(),
        examples: z.number(),
      }),
      jws: z.string(),
    }),
    update: z.object({
      shapes: z.record(z.string(), z.array(z.number())),
      values: numbers,
      metadata: z.record(z.string(), z.string()),
      file: z.base64(),
    }),
    codecs: z.array(z.object({ codec: codecSchema, values: numbers, file: z.base64() })),
  })
  .parse(JSON.parse(readFileSync(new URL('../vectors/wire/client-wire.json', import.meta.url), 'utf8')));
const { key } = await readKeyFile(vectors.keyFile);
const sender = { random: randomFrom('any'), compressors: {} };
const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');

afterEach(() => vi.restoreAllMocks());

describe('a key', () => {
  test('has the thumbprint of RFC 8037', () => {
    expect(key.kid).toBe(vectors.kid);
  });
});

describe('a signature', () => {
  test.each(vectors.proofs)('proves $method $url as every client does', async (proof) => {
    const { method, url, body, nonce, authorization } = proof;
    vi.spyOn(crypto, 'getRandomValues').mockImplementation((array) => {
      if (array instanceof Uint8Array) array.set(Buffer.from(nonce, 'base64url'));
      return array;
    });
    const request = { method, url, body: new TextEncoder().encode(body) };
    expect(await proveRequest(key, request, vectors.nowMs)).toBe(authorization);
  });

  test('states what an update is as every client does', async () => {
    expect(await signStatement(key, vectors.statement.claims)).toBe(vectors.statement.jws);
  });
});

describe('an update', () => {
  test('in plain float32 is the same file from every client', async () => {
    const { shapes, values, metadata, file } = vectors.update;
    const layout = layoutOf(Object.entries(shapes).map(([name, shape]) => ({ name, shape })));
    const codec = codecSchema.parse({ kind: 'float32' });
    const { bytes } = await writeUpdate(codec, layout, (into) => into.set(values), metadata, sender);
    expect(base64(bytes)).toBe(file);
  });

  test.each(vectors.codecs)('in $codec.kind is the same file from every client', async ({ codec, values, file }) => {
    const layout = layoutOf([{ name: 'w', shape: [values.length] }]);
    const { metadata } = vectors.update;
    const { bytes } = await writeUpdate(codec, layout, (into) => into.set(values), metadata, sender);
    expect(base64(bytes)).toBe(file);
  });
});
