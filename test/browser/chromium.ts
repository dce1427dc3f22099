import { spawn } from 'node:child_process';
import { accessSync, constants, mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
/** For a Chromium that nobody sees, with nothing in it that calls home. */
export const flags = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--disable-dev-shm-usage',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** A Chromium: the path in CHROMIUM, or the first on the PATH. */
export function findChromium(): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter);
  const onPath = names.flatMap((name) => folders.map((folder) => join(folder, name)));
  return [process.env.CHROMIUM, ...onPath].find((path) => path && isExecutable(path));
}

/**
 * Serves files on 127.0.0.1, opens `/` in headless Chromium, and waits for what the page posts.
 * @returns the body posted to `/result`
 * @throws what the page posts to `/error`, and if Chromium ends or `timeoutMs` passes before either
 */
export async function runInChromium(
  chromium: string,
  files: ReadonlyMap<string, { readonly type: string; readonly body: string | Uint8Array }>,
  timeoutMs: number,
): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const server = createServer(async (request, response) => {
    if (request.method === 'POST') {
      const body = await textOf(request);
      response.end();
      if (request.url === '/result') resolve(body);
      else reject(new Error(`the page failed: ${body}`));
      return;
    }
    const file = files.get(new URL(request.url ?? '/', 'http://localhost').pathname);
    response.writeHead(file ? 200 : 404, { 'content-type': file?.type ?? 'text/plain' });
    response.end(file?.body);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');

  const profile = mkdtempSync(join(tmpdir(), 'tributary-chromium-'));
  const url = `http://127.0.0.1:${address.port}/`;
  // A group of its own: Chromium is many processes.
  const browser = spawn(chromium, [...flags, `--user-data-dir=${profile}`, url], { detached: true });
  let said = '';
  browser.stderr.on('data', (chunk) => {
    said = `${said}${chunk}`.slice(-2000);
  });
  browser.on('error', reject);
  const ended = new Promise<void>((gone) => browser.on('close', () => gone()));
  ended.then(() => reject(new Error(`${chromium} ended: ${said}`)));
  const timer = setTimeout(() => reject(new Error(`nothing from the page in ${timeoutMs} ms: ${said}`)), timeoutMs);
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    if (browser.pid !== undefined && browser.exitCode === null) process.kill(-browser.pid, 'SIGKILL');
    await ended;
    server.closeAllConnections();
    server.close();
    rmSync(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
