import { once } from 'node:events';
import { createServer, get } from 'node:http';
import { connect } from 'node:net';

/** A body that is nothing but one megabyte of memory, again and again: what the loopback can bring at best. */
export interface PlainBody {
  readonly port: number;
  readonly bytes: number;
  /** Who reads it: a socket into one buffer, or Node's HTTP client. */
  readonly client: 'socket' | 'http';
}

export async function servePlainBody(bytes: number): Promise<{ readonly port: number; close(): void }> {
  const chunk = Buffer.alloc(1 << 20);
  const server = createServer({ highWaterMark: 1 << 20 }, (_, response) => {
    response.writeHead(200, { 'content-length': bytes });
    let left = bytes;
    const more = () => {
      while (left > 0) {
        const part = chunk.subarray(0, left);
        left -= part.length;
        if (!response.write(part) && left > 0) {
          response.once('drain', more);
          return;
        }
      }
      response.end();
    };
    more();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return { port: address.port, close: () => void server.close() };
}

/** Reads the body and throws it away. @throws {Error} if it was shorter */
export async function discardPlainBody({ port, bytes, client }: PlainBody): Promise<void> {
  const received = client === 'http' ? await overHttp(port) : await overSocket(port);
  if (received < bytes) throw new Error(`${received} bytes arrived, expected ${bytes}`);
}

function overHttp(port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const request = get({ host: '127.0.0.1', port, agent: false }, (response) => {
      let received = 0;
      response.on('data', (chunk: Uint8Array) => {
        received += chunk.length;
      });
      response.on('end', () => resolve(received));
      response.on('error', reject);
    });
    request.on('error', reject);
  });
}

function overSocket(port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    let received = 0;
    const count = (bytes: number) => {
      received += bytes;
      return true;
    };
    const onread = { buffer: new Uint8Array(65_536), callback: count };
    const socket = connect({ host: '127.0.0.1', port, onread });
    socket.on('error', reject);
    socket.on('close', () => resolve(received));
    socket.write('GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n');
  });
}
