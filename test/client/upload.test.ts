import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { TributaryClient } from '../../client/typescript/client.ts';
import { ann } from './ann.ts';
import { ticketId } from './fake-server.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

const bytes = Uint8Array.from({ length: 3_000_000 }, (_, i) => i % 251);

/** A bucket that takes an object once, if it is none yet; the first PUTs are cut as the list says. */
async function bucket(cuts: readonly ('in the middle' | 'before the answer')[]) {
  const seen = { declared: 0, received: [] as number[], stored: [] as Buffer[] };
  const whole = async (request: IncomingMessage) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    return Buffer.concat(chunks);
  };
  const server = createServer(async (request, response) => {
    if (request.method === 'POST') {
      await whole(request);
      seen.declared++;
      const put = { url: `${origin()}/object`, headers: { 'if-none-match': '*' }, expiresAtMs: 9e15 };
      return response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(put));
    }
    const cut = cuts[seen.received.length];
    const at = seen.received.push(0) - 1;
    if (cut === 'in the middle') {
      request.on('data', (chunk: Buffer) => {
        seen.received[at] += chunk.length;
        if (seen.received[at] > 1_000_000) request.destroy();
      });
      return request.on('error', () => {});
    }
    const body = await whole(request);
    seen.received[at] = body.length;
    if (seen.stored.length > 0) return response.writeHead(412).end();
    seen.stored.push(body);
    if (cut === 'before the answer') return response.destroy();
    return response.writeHead(200).end();
  });
  servers.push(server);
  const origin = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const client = new TributaryClient({
    endpoint: origin(),
    identity: ann,
    surroundings: { now: () => 0, random: () => 0, sleep: async () => {} },
  });
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const ticket = { ticket: ticketId, task: 'task', baseVersion: 7 };
  return { seen, upload: () => client.upload(ticket, { bytes, sha256, examples: 4, metrics: {} }) };
}

test('an upload that is cut in the middle is sent again, under a new URL', async () => {
  const { seen, upload } = await bucket(['in the middle', 'in the middle']);
  await upload();
  expect(seen.declared).toBe(3);
  expect(seen.received.slice(0, 2).every((length) => length < bytes.length)).toBe(true);
  expect(seen.stored.map((body) => body.equals(bytes))).toEqual([true]);
});

test('an upload whose answer is lost is stored once, and 412 says so', async () => {
  const { seen, upload } = await bucket(['before the answer']);
  await upload();
  expect(seen.received).toEqual([bytes.length, bytes.length]);
  expect(seen.stored).toHaveLength(1);
});
