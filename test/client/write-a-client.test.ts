import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { codeBlocks } from '../e2e/code-blocks.ts';

const root = join(import.meta.dirname, '..', '..');
const vectors = JSON.parse(readFileSync(join(root, 'test', 'vectors', 'wire', 'client-wire.json'), 'utf8'));

const partsOf = (jws: string) => jws.split('.').map((part) => Buffer.from(part, 'base64url').toString());

test('every JSON block of docs/write-a-client.md is what the wire vectors hold, to the byte where it is signed or hashed', () => {
  const { keyFile, proofs, statement, update } = vectors;
  const { kty, crv, x } = keyFile.privateKey;
  const [proofHeader, proofClaims] = partsOf(proofs[0].authorization.replace('Tributary ', ''));
  const [, statementClaims] = partsOf(statement.jws);
  const file = Buffer.from(update.file, 'base64');
  const header = file
    .subarray(8, 8 + Number(file.readBigUInt64LE()))
    .toString()
    .trimEnd();
  const expected = [
    JSON.stringify(keyFile),
    JSON.stringify({ crv, kty, x }),
    proofHeader,
    proofClaims,
    header,
    statementClaims,
  ];
  const blocks = codeBlocks(join(root, 'docs', 'write-a-client.md'), 'json');
  expect(blocks.map((block) => block.trimEnd())).toEqual(expected);
});

test('docs/write-a-client.md names vectors, routes and files that there are', () => {
  const text = readFileSync(join(root, 'docs', 'write-a-client.md'), 'utf8');
  const { paths } = JSON.parse(readFileSync(join(root, 'docs', 'openapi.json'), 'utf8'));
  for (const [, method, path] of text.matchAll(/`(GET|POST) (\/v1[^`]*)`/g)) {
    expect(paths[path], path).toHaveProperty(method.toLowerCase());
  }
  for (const [, link] of text.matchAll(/\]\(([^)#]+)\)/g)) {
    expect(readFileSync(join(root, 'docs', link)).length, link).toBeGreaterThan(0);
  }
  expect(text).toContain(vectors.kid);
  const lines = readFileSync(join(root, 'examples', 'java', 'TributaryClient.java'), 'utf8')
    .trimEnd()
    .split('\n').length;
  expect(text).toContain(`in ${lines} lines`);
});
