import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { fetchTransport } from '../../client/typescript/transport.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

async function listen(handler: RequestListener): Promise<string> {
  const server = createServer(handler);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

const limits = { maxBytes: 1_000, timeoutMs: 5_000 };

test('sends each signed header once, and no content type of its own', async () => {
  let headers: readonly string[] = [];
  const url = await listen((request, response) => {
    headers = request.rawHeaders.map((text) => text.toLowerCase());
    request.resume().on('end', () => response.end());
  });
  const signed = { 'Content-Length': '3', 'If-None-Match': '*', 'x-amz-checksum-sha256': 'abc=' };
  await fetchTransport({ method: 'PUT', url, headers: signed, body: Uint8Array.of(1, 2, 3), ...limits });
  expect(headers.filter((name) => name === 'content-length')).toHaveLength(1);
  expect(headers[headers.indexOf('content-length') + 1]).toBe('3');
  expect(headers[headers.indexOf('if-none-match') + 1]).toBe('*');
  expect(headers[headers.indexOf('x-amz-checksum-sha256') + 1]).toBe('abc=');
  expect(headers).not.toContain('content-type');
});

test('gives any status as an answer', async () => {
  const url = await listen((_, response) => response.writeHead(418, { 'X-Tea': 'green' }).end('short'));
  const answer = await fetchTransport({ method: 'GET', url, ...limits });
  expect(answer.status).toBe(418);
  expect(answer.headers['x-tea']).toBe('green');
  expect(new TextDecoder().decode(answer.body)).toBe('short');
});

test('refuses an answer that is longer than allowed, declared or not', async () => {
  const declared = await listen((_, response) =>
    response.writeHead(200, { 'content-length': 2_000 }).end(Buffer.alloc(2_000)),
  );
  const chunked = await listen((_, response) => {
    response.write(Buffer.alloc(900));
    response.end(Buffer.alloc(900));
  });
  for (const url of [declared, chunked]) {
    await expect(fetchTransport({ method: 'GET', url, ...limits })).rejects.toThrow(RangeError);
  }
});

test('does not follow a redirect to another host', async () => {
  const url = await listen((_, response) => response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end());
  await expect(fetchTransport({ method: 'GET', url, ...limits })).rejects.toThrow();
});
