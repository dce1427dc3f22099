import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { buildSync } from 'esbuild';

const root = join(import.meta.dirname, '..');

/** What an ESM bundle needs so that the CommonJS inside it can still call `require`. */
const banner =
  "import{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url);";

/**
 * Bundles the functions, one folder each, ready to be assets.
 * @param entries names in `functions/`, without `.lambda.ts`
 * @returns the folder of each
 */
export function bundleFunctions<Entry extends string>(entries: readonly Entry[]): Readonly<Record<Entry, string>> {
  // A folder of its own: two syntheses may run at once. CDK has copied it by the time that this process ends.
  const out = mkdtempSync(join(tmpdir(), 'tributary-bundle-'));
  process.on('exit', () => rmSync(out, { recursive: true, force: true }));
  buildSync({
    entryPoints: Object.fromEntries(
      entries.map((entry) => [`${entry}/index`, join(root, 'functions', `${entry}.lambda.ts`)]),
    ),
    outdir: out,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    mainFields: ['module', 'main'],
    minify: true,
    keepNames: true,
    sourcemap: false,
    legalComments: 'none',
    external: ['onnxruntime-node'],
    banner: { js: banner },
    logLevel: 'warning',
  });
  const folders = entries.map((entry) => [entry, join(out, entry)] as const);
  return Object.fromEntries(folders) as Record<Entry, string>;
}

/**
 * Puts the parts of onnxruntime-node that a function needs beside its bundle: 46 MB instead of 113. Lambda runs
 * linux/x64; another host's own library comes along so that the same bundle runs on a laptop.
 */
export function addOnnxRuntime(folder: string): void {
  const modules = join(root, 'node_modules');
  const host = join('bin', 'napi-v6', process.platform, process.arch);
  const parts = [
    'onnxruntime-node/package.json',
    'onnxruntime-node/dist',
    join('onnxruntime-node', 'bin', 'napi-v6', 'linux', 'x64'),
    join('onnxruntime-node', host),
    'onnxruntime-common/package.json',
    'onnxruntime-common/dist/cjs',
  ];
  for (const part of new Set(parts)) {
    const from = join(modules, part);
    if (!existsSync(from)) throw new Error(`bundle: ${part} is not installed: run npm ci`);
    const to = join(folder, 'node_modules', part);
    mkdirSync(dirname(to), { recursive: true });
    cpSync(from, to, { recursive: true });
  }
}
