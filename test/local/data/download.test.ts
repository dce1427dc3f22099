import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type DownloadRequest, downloadFiles } from '../../../local/data/download.ts';
import { mnistFiles } from '../../../local/data/mnist/files.ts';
import { FlError } from '../../../shared/core/errors.ts';

const body = Buffer.from(Array.from({ length: 50_000 }, (_, i) => (i * 7919) & 255));
const sha256 = createHash('sha256').update(body).digest('hex');

describe('downloadFiles', () => {
  let folder: string;
  let server: Server;
  let base: string;
  let requests: IncomingMessage[];
  let answer: (request: IncomingMessage, response: ServerResponse) => void;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tributary-download-'));
    requests = [];
    server = createServer((request, response) => {
      requests.push(request);
      answer(request, response);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    base = typeof address === 'object' && address ? `http://127.0.0.1:${address.port}` : '';
  });
  afterEach(async () => {
    server.closeAllConnections();
    server.close();
    await rm(folder, { recursive: true });
  });

  const download = (paths: readonly string[], options: Partial<DownloadRequest> = {}) =>
    downloadFiles({
      files: [{ name: 'data.gz', urls: paths.map((path) => base + path), sha256, bytes: body.length }],
      cacheDir: folder,
      backoffMs: 1,
      ...options,
    });
  const stored = () => readFile(join(folder, 'data.gz'));

  it('fetches a file, reports its bytes and leaves nothing else behind', async () => {
    answer = whole;
    const reports: number[] = [];
    await download(['/a'], { onProgress: ({ done }) => reports.push(done ?? -1) });
    expect(await stored()).toEqual(body);
    expect(await readdir(folder)).toEqual(['data.gz']);
    expect(reports.at(-1)).toBe(body.length);
  });

  it('asks no one for a file that is there and right, and replaces one that is wrong', async () => {
    answer = whole;
    await writeFile(join(folder, 'data.gz'), body);
    await download(['/a']);
    expect(requests).toHaveLength(0);
    await writeFile(join(folder, 'data.gz'), 'something else');
    await download(['/a']);
    expect(await stored()).toEqual(body);
  });

  it('goes on where a cut connection stopped', async () => {
    answer = (request, response) => (requests.length === 1 ? cutAfter(20_000, response) : ranged(request, response));
    await download(['/a']);
    expect(await stored()).toEqual(body);
    expect(requests[1].headers.range).toMatch(/^bytes=\d+-$/);
    expect(Number(requests[1].headers.range?.slice(6, -1))).toBeGreaterThan(0);
    expect(requests[1].headers['if-range']).toBe('"v1"');
  });

  it('goes on in a later call', async () => {
    answer = (_, response) => cutAfter(20_000, response);
    await expect(download(['/a'], { tries: 1 })).rejects.toThrow('data-offline');
    answer = ranged;
    await download(['/a']);
    expect(await stored()).toEqual(body);
    expect(requests[1].headers.range).toBeDefined();
  });

  it('starts over when the server ignores the range or the file has changed there', async () => {
    answer = (_, response) => (requests.length === 1 ? cutAfter(20_000, response) : whole(_, response));
    await download(['/a']);
    expect(requests[1].headers.range).toBeDefined();
    expect(await stored()).toEqual(body);
  });

  it('resumes at no other mirror than the one it began with', async () => {
    answer = (request, response) => (request.url === '/a' ? cutAfter(20_000, response) : whole(request, response));
    await download(['/a', '/b'], { tries: 1 });
    expect(requests[1].headers.range).toBeUndefined();
    expect(await stored()).toEqual(body);
  });

  it('starts over when what it resumed does not fit what it had', async () => {
    await writeFile(join(folder, 'data.gz.part'), Buffer.alloc(30_000));
    await writeFile(join(folder, 'data.gz.part.from'), `${base}/a\n"v1"`);
    answer = (request, response) => (request.headers.range ? ranged(request, response) : whole(request, response));
    await download(['/a']);
    expect(requests).toHaveLength(2);
    expect(await stored()).toEqual(body);
  });

  it('starts over when the server has no such range', async () => {
    answer = (request, response) => {
      if (requests.length === 1) return cutAfter(20_000, response);
      if (request.headers.range) return void response.writeHead(416).end();
      whole(request, response);
    };
    await download(['/a']);
    expect(await stored()).toEqual(body);
  });

  it('removes a file with another checksum and says so', async () => {
    const wrong = Buffer.from(body);
    wrong[1000] ^= 1;
    answer = (_, response) => void response.end(wrong);
    const error = await download(['/a']).catch((fault: unknown) => fault);
    expect(error).toBeInstanceOf(FlError);
    expect(error).toMatchObject({ code: 'data-corrupt', retry: 'never' });
    expect(String(error)).toContain(sha256);
    expect(await readdir(folder)).toEqual([]);
  });

  it('takes the next mirror after a 404, a wrong size or an endless body, without a second try', async () => {
    answer = (request, response) => {
      if (request.url === '/gone') response.writeHead(404).end();
      else if (request.url === '/portal') response.end('<html>please log in</html>');
      else if (request.url === '/endless') {
        response.write(body);
        response.end(body);
      } else whole(request, response);
    };
    await download(['/gone', '/portal', '/endless', '/good']);
    expect(requests.map(({ url }) => url)).toEqual(['/gone', '/portal', '/endless', '/good']);
    expect(await stored()).toEqual(body);
  });

  it('tries again after a 503', async () => {
    answer = (request, response) =>
      requests.length < 3 ? void response.writeHead(503).end() : whole(request, response);
    await download(['/a']);
    expect(requests).toHaveLength(3);
  });

  it('gives up on a silent server', async () => {
    answer = () => {};
    await expect(download(['/a'], { tries: 1, idleTimeoutMs: 50 })).rejects.toThrow(/silent for 50 ms/);
  });

  it('follows redirects, but not in circles', async () => {
    answer = (request, response) =>
      request.url === '/a' ? void response.writeHead(302, { location: '/b' }).end() : whole(request, response);
    await download(['/a']);
    expect(await stored()).toEqual(body);
    answer = (_, response) => void response.writeHead(302, { location: '/b' }).end();
    await rm(join(folder, 'data.gz'));
    await expect(download(['/b'])).rejects.toThrow(/redirects more than 5 times/);
  });

  it('names host, folder and --data-dir when off-line', async () => {
    const port = new URL(base).port;
    await new Promise((resolve) => server.close(resolve));
    const error = await download(['/a'], { tries: 2 }).catch((fault: unknown) => fault);
    expect(error).toMatchObject({ code: 'data-offline', retry: 'later' });
    expect(String(error)).toContain(`127.0.0.1:${port}`);
    expect(String(error)).toContain(folder);
    expect(String(error)).toContain('--data-dir');
  });

  it('refuses plain HTTP to other machines', async () => {
    const files = [{ name: 'data.gz', urls: ['http://example.invalid/x'], sha256, bytes: 1 }];
    await expect(downloadFiles({ files, cacheDir: folder })).rejects.toThrow(/is not https/);
  });

  it.each(['../data.gz', 'a/b', '.hidden', ''])('refuses the file name "%s"', async (name) => {
    const files = [{ name, urls: [`${base}/x`], sha256, bytes: 1 }];
    await expect(downloadFiles({ files, cacheDir: folder })).rejects.toThrow(/option-invalid/);
  });

  it('stops when its signal is aborted and keeps what came for the next time', async () => {
    const abort = new AbortController();
    answer = (_, response) => {
      response.writeHead(200, { 'content-length': body.length, etag: '"v1"' });
      response.write(body.subarray(0, 10_000));
    };
    const running = download(['/a'], { signal: abort.signal, onProgress: () => abort.abort() });
    await expect(running).rejects.toThrow(/abort/i);
    expect(await readdir(folder)).not.toContain('data.gz');
  });
});

describe('the MNIST mirrors', () => {
  it('are https, and every file has its documented size and a full SHA-256', () => {
    expect(mnistFiles.map(({ bytes }) => bytes)).toEqual([9_912_422, 28_881, 1_648_877, 4_542]);
    for (const { urls, sha256 } of mnistFiles) {
      expect(urls.every((url) => url.startsWith('https://'))).toBe(true);
      expect(sha256).toMatch(/^[0-9a-f]{64}$/);
    }
  });
});

function whole(_: IncomingMessage, response: ServerResponse): void {
  response.writeHead(200, { 'content-length': body.length, etag: '"v1"' });
  response.end(body);
}

function ranged(request: IncomingMessage, response: ServerResponse): void {
  const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1]);
  const range = `bytes ${start}-${body.length - 1}/${body.length}`;
  response.writeHead(206, { 'content-range': range, 'content-length': body.length - start, etag: '"v1"' });
  response.end(body.subarray(start));
}

function cutAfter(bytes: number, response: ServerResponse): void {
  response.writeHead(200, { 'content-length': body.length, etag: '"v1"' });
  response.write(body.subarray(0, bytes), () => response.destroy());
}
