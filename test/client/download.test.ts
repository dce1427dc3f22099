import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { parseTicket } from '../../client/typescript/answers.ts';
import { TributaryClient } from '../../client/typescript/client.ts';
import type { TicketResponse } from '../../shared/wire/api.ts';
import { ann } from './ann.ts';
import { ticket } from './fake-server.ts';

/** A real server on 127.0.0.1 that cuts its connections. */

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

const size = 1_000_000;
const content = Buffer.from(Uint8Array.from({ length: size }, (_, i) => (i * 2_654_435_761) >>> 13));
const sha256 = createHash('sha256').update(content).digest('hex');

interface Answer {
  /** Bytes after which the connection is cut. */
  readonly cutAt?: number;
  readonly etag?: string;
  readonly body?: Buffer;
  /** Answers a range with everything. */
  readonly deaf?: boolean;
  readonly status?: number;
}

/** Answers each GET as the next of the list says, and the rest as S3 would. */
async function fileServer(answers: readonly Answer[]) {
  const asked: (string | undefined)[] = [];
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    const { cutAt, etag = '"one"', body = content, deaf, status } = answers[asked.length] ?? {};
    const { range, 'if-match': match } = request.headers;
    asked.push(range);
    if (status) return response.writeHead(status).end();
    if (match !== undefined && match !== etag) return response.writeHead(412).end();
    const start = deaf ? 0 : Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1] ?? 0);
    const part = body.subarray(start);
    response.writeHead(start > 0 ? 206 : 200, {
      etag,
      'content-length': part.length,
      ...(start > 0 && { 'content-range': `bytes ${start}-${body.length - 1}/${body.length}` }),
    });
    if (cutAt === undefined) return response.end(part);
    response.write(part.subarray(0, cutAt - start), () => response.destroy());
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/file`, asked };
}

/** The package's first file from that server, the others out of a store. */
async function download(url: string, found = sha256, retry = {}) {
  const client = new TributaryClient({
    endpoint: 'http://api.test',
    identity: ann,
    retry,
    surroundings: { now: () => 0, random: () => 0, sleep: async () => {} },
  });
  const given = new TextEncoder().encode('abc');
  await client.store.set(`artifact/${ticket.package['evaluate.onnx'].sha256}`, given);
  const { package: files, ...rest } = parseTicket(new TextEncoder().encode(JSON.stringify(ticket)));
  const wanted: TicketResponse = {
    ...rest,
    package: { ...files, 'train-epoch.onnx': { url, bytes: size, sha256: found } },
  };
  const answer = await client.downloadPackage(wanted);
  return { bytes: Buffer.from(answer.package['train-epoch.onnx']), client };
}

describe('a download that is cut off', () => {
  test('goes on where it broke off, as often as it takes', async () => {
    const { url, asked } = await fileServer([{ cutAt: 300_000 }, { cutAt: 600_000 }, { cutAt: 990_000 }]);
    const { bytes } = await download(url);
    expect(bytes.equals(content)).toBe(true);
    expect(asked).toHaveLength(4);
    const starts = asked.map((range) => Number(/^bytes=(\d+)-$/.exec(range ?? 'bytes=0-')?.[1]));
    // What the kernel had not handed over yet may be lost with the connection.
    expect(starts[0]).toBe(0);
    for (const [i, most] of [300_000, 600_000, 990_000].entries()) {
      expect(starts[i + 1]).toBeGreaterThan(most - 300_000);
      expect(starts[i + 1]).toBeLessThanOrEqual(most);
    }
  });

  test('does not count tries that brought it further', async () => {
    const { url, asked } = await fileServer([300_000, 400_000, 500_000, 600_000, 700_000].map((cutAt) => ({ cutAt })));
    expect((await download(url, sha256, { attempts: 2 })).bytes.equals(content)).toBe(true);
    expect(asked).toHaveLength(6);
  });

  test('gives up where it gets no further', async () => {
    const { url, asked } = await fileServer(Array.from({ length: 20 }, () => ({ cutAt: 300_000 })));
    await expect(download(url, sha256, { attempts: 3 })).rejects.toMatchObject({ code: 'network' });
    // Three tries that end with 300,000 bytes held, and three that add none.
    expect(asked).toHaveLength(6);
  });

  test('starts over after little: another request costs as much', async () => {
    const { url, asked } = await fileServer([{ cutAt: 100_000 }]);
    expect((await download(url)).bytes.equals(content)).toBe(true);
    expect(asked).toEqual([undefined, undefined]);
  });

  test('starts over where the file has become another one', async () => {
    const old = Buffer.alloc(size, 7);
    const { url, asked } = await fileServer([{ cutAt: 500_000, body: old, etag: '"old"' }]);
    expect((await download(url)).bytes.equals(content)).toBe(true);
    expect([asked.length, asked[2]]).toEqual([3, undefined]);
  });

  test('starts over where the joined file has another SHA-256', async () => {
    const { url, asked } = await fileServer([{ cutAt: 500_000, body: Buffer.alloc(size, 7) }]);
    expect((await download(url)).bytes.equals(content)).toBe(true);
    expect([asked.length, asked[2]]).toEqual([3, undefined]);
  });

  test('takes the whole file from a server that knows no ranges', async () => {
    const { url, asked } = await fileServer([{ cutAt: 500_000 }, { deaf: true }]);
    expect((await download(url)).bytes.equals(content)).toBe(true);
    expect(asked).toHaveLength(2);
  });

  test('does not go on from a weak ETag', async () => {
    const weak = 'W/"one"';
    const { url, asked } = await fileServer([{ cutAt: 500_000, etag: weak }]);
    expect((await download(url)).bytes.equals(content)).toBe(true);
    expect(asked).toEqual([undefined, undefined]);
  });

  test('starts over where the range lies beyond the file', async () => {
    const { url, asked } = await fileServer([{ cutAt: 500_000 }, { status: 416 }]);
    expect((await download(url)).bytes.equals(content)).toBe(true);
    expect([asked.length, asked[2]]).toEqual([3, undefined]);
  });
});
