import { join } from 'node:path';
import { build } from 'esbuild';
import { calculateJwkThumbprint, importJWK, jwtVerify } from 'jose';
import { expect, test } from 'vitest';
import { findChromium, runInChromium } from './chromium.ts';

test('a browser keeps a key that no script can read, and signs with it', { timeout: 120_000 }, async (context) => {
  const chromium = findChromium();
  if (!chromium) return context.skip('no Chromium on the PATH: set CHROMIUM, or apt-get install chromium');
  const { outputFiles } = await build({
    entryPoints: [join(import.meta.dirname, 'page-keys.ts')],
    bundle: true,
    platform: 'browser',
    format: 'esm',
    write: false,
    logLevel: 'silent',
  });
  const page = '<!doctype html><title>keys</title><script type="module" src="/page.js"></script>';
  const files = new Map([
    ['/', { type: 'text/html', body: page }],
    ['/page.js', { type: 'text/javascript', body: outputFiles[0].contents }],
  ]);
  const result = JSON.parse(await runInChromium(chromium, files, 60_000));
  expect(result).toMatchObject({ extractable: false, exported: 'refused', bytes: [1, 2, 3], left: 0 });
  expect(result.kid).toBe(await calculateJwkThumbprint(result.publicKey));
  const [, jws] = result.proof.split(' ');
  const { payload } = await jwtVerify(jws, await importJWK(result.publicKey, 'Ed25519'), { algorithms: ['Ed25519'] });
  expect(payload).toMatchObject({ sub: 'tab', htm: 'GET' });
});
