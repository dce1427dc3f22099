import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = import.meta.dirname;
const runtimeFolder = dirname(fileURLToPath(import.meta.resolve('onnxruntime-web/wasm')));
const runtimeFile = /^\/ort\/(ort-wasm-simd-threaded(?:\.asyncify)?\.(?:mjs|wasm))$/;

const types: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  mjs: 'text/javascript; charset=utf-8',
  wasm: 'application/wasm',
};

/** As a web host would send them. The last two isolate the page, which holds private data, from others in its process. */
const headers = {
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'self' 'wasm-unsafe-eval'",
    "style-src 'self'",
    'img-src data:',
    "worker-src 'self'",
    // The federation's API and buckets; which those are, only the link says.
    "connect-src 'self' https: http://127.0.0.1:* http://localhost:*",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
};

export interface Site {
  /** The page's address, ending in `/`. */
  readonly url: string;
  close(): Promise<void>;
}

/** Bundles the page and serves it on 127.0.0.1. @param port any free one by default */
export async function startSite(port = 0): Promise<Site> {
  const files = await bundle();
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    const [, name] = runtimeFile.exec(pathname) ?? [];
    const body = name
      ? await readFile(join(runtimeFolder, name))
      : files.get(pathname === '/' ? '/index.html' : pathname);
    if (!body || (request.method !== 'GET' && request.method !== 'HEAD')) {
      response.writeHead(body ? 405 : 404, headers).end();
      return;
    }
    const type = types[(name ?? pathname).split('.').at(-1) ?? ''] ?? types.html;
    const caching = name ? 'max-age=3600' : 'no-cache';
    response.writeHead(200, { ...headers, 'content-type': type, 'cache-control': caching });
    response.end(request.method === 'GET' ? body : undefined);
  });
  await new Promise<void>((listening, failed) => {
    server.once('error', failed).listen(port, '127.0.0.1', listening);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return {
    url: `http://127.0.0.1:${address.port}/`,
    close: async () => {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}

/** The page's files by path: what is in `page/` as it is, and the scripts. */
async function bundle(): Promise<Map<string, Uint8Array>> {
  const { outputFiles } = await build({
    entryPoints: [join(here, 'page', 'page.ts'), join(here, 'worker', 'worker.ts')],
    bundle: true,
    splitting: true,
    minify: true,
    platform: 'browser',
    format: 'esm',
    entryNames: '[name]',
    outdir: here,
    write: false,
    logLevel: 'silent',
    // Its WebAssembly is fetched from /ort/ instead of being looked for beside the script.
    conditions: ['onnxruntime-web-use-extern-wasm'],
  });
  const files = new Map(outputFiles.map(({ path, contents }) => [`/${basename(path)}`, contents]));
  for (const name of ['index.html', 'page.css']) files.set(`/${name}`, await readFile(join(here, 'page', name)));
  return files;
}
