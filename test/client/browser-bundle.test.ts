import { join } from 'node:path';
import { build } from 'esbuild';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '..', '..');

test('the client bundles for a browser as it is: no Node module, no schema library, no AWS', async () => {
  const { outputFiles, metafile } = await build({
    entryPoints: [join(root, 'client', 'typescript', 'index.ts')],
    bundle: true,
    platform: 'browser',
    format: 'esm',
    minify: true,
    write: false,
    metafile: true,
    logLevel: 'silent',
  });
  const inputs = Object.keys(metafile.inputs);
  expect(inputs.some((path) => path.endsWith('client/typescript/client.ts'))).toBe(true);
  expect(inputs.filter((path) => path.includes('node_modules'))).toEqual([]);
  expect(outputFiles[0].text).not.toMatch(/from"node:|require\(/);
});
