import { join } from 'node:path';
import { build } from 'esbuild';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '..', '..', '..');

test('the data pipeline bundles for a browser as it is: no Node module, no global of Node', async () => {
  const { outputFiles, metafile } = await build({
    entryPoints: [join(root, 'client', 'typescript', 'data', 'index.ts')],
    bundle: true,
    splitting: true,
    outdir: 'unused',
    platform: 'browser',
    format: 'esm',
    write: false,
    metafile: true,
    logLevel: 'silent',
  });
  expect(outputFiles.map(({ text }) => text).join('\n')).not.toMatch(/from "node:|(?<![.\w])require\(/);
  const packages = Object.keys(metafile.inputs).flatMap((path) => /node_modules\/([^/]+)/.exec(path)?.[1] ?? []);
  expect(new Set(packages)).toEqual(new Set(['fast-png', 'fflate', 'iobuffer', 'zod']));
});
