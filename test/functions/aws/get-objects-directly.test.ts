import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { S3Client } from '@aws-sdk/client-s3';
import { expect, onTestFinished, test } from 'vitest';
import { getObjectsDirectly } from '../../../functions/aws/get-objects-directly.ts';
import { S3ObjectStore } from '../../../functions/aws/s3-object-store.ts';
import { ByteReader } from '../../../shared/orchestrator/byte-reader.ts';
import { readBytes } from '../../../shared/orchestrator/read-object.ts';

interface Server {
  readonly store: S3ObjectStore;
  readonly requests: IncomingMessage[];
  readonly sockets: ReadonlySet<Socket>;
}

/** An S3 that gives `answer` to every request. */
async function serve(answer: (response: ServerResponse, request: IncomingMessage) => void): Promise<Server> {
  const requests: IncomingMessage[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((request, response) => {
    requests.push(request);
    sockets.add(request.socket);
    answer(response, request);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = new S3Client({
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    region: 'eu-west-1',
    credentials: { accessKeyId: 'key', secretAccessKey: 'secret' },
    forcePathStyle: true,
    responseChecksumValidation: 'WHEN_REQUIRED',
    maxAttempts: 1,
  });
  getObjectsDirectly(client);
  onTestFinished(() => {
    client.destroy();
    server.closeAllConnections();
    server.close();
  });
  return { store: new S3ObjectStore(client, 'bucket', { now: () => 0 }), requests, sockets };
}

const bytes = Uint8Array.from({ length: 1_000_003 }, (_, i) => (i * 7) % 251);
const whole = (response: ServerResponse) => response.setHeader('content-length', bytes.length).end(bytes);
const everything = { maxBytes: bytes.length };

test('a body arrives whole and in order, in whatever pieces it is read', async () => {
  const { store } = await serve(whole);
  const reader = new ByteReader(await store.stream('key'), 'key');
  const read = new Uint8Array(bytes.length);
  const cuts = [0, 1, 70_000, 70_001, 400_000, bytes.length];
  for (let i = 1; i < cuts.length; i++) await reader.fill(read.subarray(cuts[i - 1], cuts[i]));
  expect(Buffer.compare(read, bytes)).toBe(0);
  await expect(reader.fill(new Uint8Array(1))).rejects.toMatchObject({ code: 'object-truncated' });
});

test('a request is signed and asks for the key, the range and the ETag', async () => {
  const { store, requests } = await serve((response) => response.writeHead(206, { 'content-length': 3 }).end('abc'));
  const read = await readBytes(store, 'a key/ä+', { range: { start: 5, end: 8 }, etag: '"tag"', maxBytes: 3 });
  expect(Buffer.from(read).toString()).toBe('abc');
  const [{ url, headers }] = requests;
  expect(url).toBe('/bucket/a%20key/%C3%A4%2B?x-id=GetObject');
  expect(headers).toMatchObject({ range: 'bytes=5-7', 'if-match': '"tag"' });
  expect(headers.authorization).toMatch(/^AWS4-HMAC-SHA256 Credential=key\//);
});

test('GETs one after the other share a connection; those at the same time do not', async () => {
  const { store, sockets } = await serve(whole);
  for (let i = 0; i < 3; i++) await readBytes(store, 'key', everything);
  expect(sockets.size).toBe(1);
  const read = await Promise.all([0, 1, 2].map(() => readBytes(store, 'key', everything)));
  for (const one of read) expect(Buffer.compare(one, bytes)).toBe(0);
  expect(sockets.size).toBe(3);
});

test('a connection that the other side closed while idle is not used again', async () => {
  const { store, sockets } = await serve((response, { socket }) => {
    whole(response);
    response.on('finish', () => socket.end());
  });
  for (let i = 0; i < 3; i++) expect(await readBytes(store, 'key', everything)).toHaveLength(bytes.length);
  expect(sockets.size).toBeGreaterThanOrEqual(3);
});

test('a body left unread ends its connection, and the next GET works', async () => {
  const { store, sockets } = await serve(whole);
  const reader = new ByteReader(await store.stream('key'), 'key');
  await reader.fill(new Uint8Array(10));
  await reader.close();
  await expect(reader.fill(new Uint8Array(bytes.length))).rejects.toMatchObject({ code: 'object-truncated' });
  expect(await readBytes(store, 'key', everything)).toHaveLength(bytes.length);
  expect(sockets.size).toBe(2);
});

test('an answer without a length, in chunks, or empty arrives all the same', async () => {
  const answers = [
    (response: ServerResponse) => response.writeHead(200, { connection: 'close' }).end('until it closes'),
    (response: ServerResponse) => {
      response.write('in ');
      response.end('chunks');
    },
    (response: ServerResponse) => response.writeHead(200, { 'content-length': 0 }).end(),
  ];
  const read: string[] = [];
  for (const answer of answers) {
    const { store } = await serve(answer);
    read.push(Buffer.from(await readBytes(store, 'key', everything)).toString());
  }
  expect(read).toEqual(['until it closes', 'in chunks', '']);
});

test('a head that comes a byte at a time is understood', async () => {
  const { store } = await serve(({ socket }) => {
    const head = 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\nETag: "x"\r\n\r\n';
    let at = 0;
    const more = () => {
      if (at < head.length) socket?.write(head[at++], () => setImmediate(more));
      else socket?.write('body');
    };
    socket?.setNoDelay(true);
    more();
  });
  expect(Buffer.from(await readBytes(store, 'key', everything)).toString()).toBe('body');
});

test.each([
  [404, 'NoSuchKey', 'object-missing'],
  [412, 'PreconditionFailed', 'object-changed'],
])('%i is told as the SDK tells it, and then as the store does', async (status, code, expected) => {
  const body = `<Error><Code>${code}</Code><Message>no</Message></Error>`;
  const { store } = await serve((response) => response.writeHead(status).end(body));
  await expect(store.stream('key', undefined, '"tag"')).rejects.toMatchObject({
    code: expected,
    cause: { name: code, $metadata: { httpStatusCode: status } },
  });
});

test('a connection that breaks is an error, not an end', async () => {
  const { store } = await serve((response) => {
    response.writeHead(200, { 'content-length': bytes.length });
    response.write(bytes.subarray(0, 100_000), () => response.destroy());
  });
  const reader = new ByteReader(await store.stream('key'), 'key');
  await expect(reader.fill(new Uint8Array(bytes.length))).rejects.toMatchObject({ code: 'ECONNRESET' });
  await expect(reader.fill(new Uint8Array(1))).rejects.toMatchObject({ code: 'ECONNRESET' });
});

test('bytes beyond the announced length reach neither this reader nor the next', async () => {
  const { store } = await serve(({ socket }) => socket?.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nabcd'));
  const read = [await readBytes(store, 'key', everything), await readBytes(store, 'key', everything)];
  expect(read.map((each) => Buffer.from(each).toString())).toEqual(['ab', 'ab']);
});

test('a reader that is slower than the network stops the network', async () => {
  const huge = new Uint8Array(64 * 2 ** 20);
  let sent = 0;
  const { store } = await serve((response) => {
    response.setHeader('content-length', huge.length);
    response.write(huge.subarray(0, huge.length - 1), () => {
      sent = huge.length;
    });
  });
  const reader = new ByteReader(await store.stream('key'), 'key');
  await reader.fill(new Uint8Array(100_000));
  for (let i = 0; i < 100; i++) await new Promise(setImmediate);
  expect(sent).toBe(0);
  await reader.close();
});
