import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import { brotliCompress, constants } from 'node:zlib';
import { build, type Plugin } from 'esbuild';

/** `node examples/edge/build.ts [FILE]`: the client and its runtime as one file that needs Node 24 and nothing else. */

const compress = promisify(brotliCompress);

/** Compressed it is a fifth, and read at once: a device copies and starts one file of 4 MB. */
const embedRuntime: Plugin = {
  name: 'embedded',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^embedded:onnxruntime$/ }, ({ path }) => ({ path, namespace: 'embedded' }));
    onLoad({ filter: /.*/, namespace: 'embedded' }, async () => {
      const path = createRequire(import.meta.url).resolve('onnxruntime-web/ort-wasm-simd-threaded.wasm');
      const params = {
        [constants.BROTLI_PARAM_QUALITY]: 9,
        [constants.BROTLI_PARAM_LGWIN]: constants.BROTLI_MAX_WINDOW_BITS,
      };
      return { contents: await compress(await readFile(path), { params }), loader: 'binary' };
    });
  },
};

const outfile = process.argv[2] ?? join(import.meta.dirname, 'dist', 'tributary-client.mjs');
const { metafile } = await build({
  entryPoints: [join(import.meta.dirname, 'main.ts')],
  outfile,
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node24',
  minify: true,
  external: ['onnxruntime-node'],
  plugins: [embedRuntime],
  metafile: true,
  logLevel: 'warning',
});
const [{ bytes }] = Object.values(metafile.outputs);
process.stdout.write(`${outfile} ${(bytes / 2 ** 20).toFixed(1)} MiB\n`);
