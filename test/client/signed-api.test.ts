import { decodeJwt, decodeProtectedHeader } from 'jose';
import { describe, expect, test } from 'vitest';
import { TributaryClient } from '../../client/typescript/client.ts';
import type { TransportRequest } from '../../client/typescript/transport.ts';
import { ann } from './ann.ts';
import { FakeFederation } from './fake-federation.ts';
import { fakeServer, problem, put, ticket, ticketId } from './fake-server.ts';

const noPause = { now: () => 0, random: () => 0, sleep: async () => {} };
const hour = 3_600_000;

/** @param aheadMs by how much the client's clock is wrong */
function clientOf(federation: FakeFederation, aheadMs = 0) {
  federation.registered = ann.publicKey;
  const clock = () => federation.nowMs + aheadMs;
  const { transport } = federation;
  return new TributaryClient({ endpoint: 'http://api.test', identity: ann, transport, clock, surroundings: noPause });
}

const proofIn = ({ headers }: TransportRequest) => headers?.authorization?.split(' ')[1];

describe('every request of the API', () => {
  test('carries a proof for just this request, and no presigned URL carries one', async () => {
    const server = fakeServer();
    const { transport } = server;
    const client = new TributaryClient({ endpoint: 'http://api.test/', identity: ann, transport });
    const train = async () => ({ params: Float32Array.of(1, 2), examples: 4 });
    await client.participate('task', { train, maxUpdates: 1, awaitOutcome: true });
    const proved = server.requests.filter((request) => request.headers?.authorization);
    expect(proved.map(({ step }) => step)).toEqual(['ticket', 'declare', 'status']);
    for (const request of proved) {
      expect(decodeJwt(proofIn(request) ?? '')).toMatchObject({ sub: 'ann', htm: request.method, htu: request.url });
      expect(request.url).not.toContain('?');
    }
  });

  test('is proved at the real time, also where the client lives on virtual time', async () => {
    const server = fakeServer();
    const { transport } = server;
    const client = new TributaryClient({
      endpoint: 'http://api.test',
      identity: ann,
      transport,
      surroundings: noPause,
    });
    const before = Math.floor(Date.now() / 1000);
    await client.ticketStatus(ticketId);
    const { iat = 0 } = decodeJwt(proofIn(server.requests[0]) ?? '');
    expect(iat).toBeGreaterThanOrEqual(before);
    expect(iat).toBeLessThanOrEqual(Date.now() / 1000);
  });

  test('has a nonce of its own in each try', async () => {
    const federation = new FakeFederation();
    federation.lose = 2;
    await expect(clientOf(federation).ticketStatus(ticketId)).rejects.toMatchObject({ code: 'ticket-unknown' });
    expect(new Set(federation.taken.map(({ jti }) => jti)).size).toBe(3);
    expect(federation.refused).toBe(0);
  });

  test('says what its sender may not do as the API says it', async () => {
    const server = fakeServer({ status: [problem(403, 'ticket-foreign')] });
    const { transport } = server;
    const client = new TributaryClient({ endpoint: 'http://api.test', identity: ann, transport });
    await expect(client.ticketStatus(ticketId)).rejects.toMatchObject({ code: 'ticket-foreign' });
    expect(server.count('status')).toBe(1);
  });
});

describe('an update', () => {
  test('is declared with a statement that says what it is, the same in each try', async () => {
    const server = fakeServer({ declare: [problem(503, 'busy'), problem(503, 'busy')] });
    const { transport } = server;
    const client = new TributaryClient({
      endpoint: 'http://api.test',
      identity: ann,
      transport,
      surroundings: noPause,
    });
    const update = { bytes: Uint8Array.of(1, 2, 3), sha256: 'a'.repeat(64), examples: 4, metrics: {} };
    await client.upload({ ticket: ticketId, task: 'task', baseVersion: 7 }, update);
    const declared = server.requests.filter(({ step }) => step === 'declare');
    const statements = declared.map(({ body }) => JSON.parse(new TextDecoder().decode(body)).statement);
    expect(statements).toHaveLength(3);
    expect(new Set(statements).size).toBe(1);
    expect(decodeProtectedHeader(statements[0])).toMatchObject({ typ: 'tributary-update+jwt', kid: ann.kid });
    expect(decodeJwt(statements[0])).toEqual({
      sub: 'ann',
      task: ticket.task,
      ticket: ticketId,
      baseVersion: 7,
      bytes: 3,
      sha256: 'a'.repeat(64),
      examples: 4,
    });
    expect(server.requests.find(({ step }) => step === 'put')?.headers).toEqual(put.headers);
  });
});

describe("a clock that differs from the federation's", () => {
  test.each([hour, -hour, 24 * hour])('by %d ms is corrected, once for all requests', async (aheadMs) => {
    const federation = new FakeFederation();
    const client = clientOf(federation, aheadMs);
    for (const _ of [1, 2]) {
      await expect(client.ticketStatus(ticketId)).rejects.toMatchObject({ code: 'ticket-unknown' });
    }
    expect(federation.refused).toBe(1);
    expect(federation.taken).toHaveLength(2);
  });

  test('and jumps is corrected again', async () => {
    const federation = new FakeFederation();
    federation.registered = ann.publicKey;
    let aheadMs = hour;
    const clock = () => federation.nowMs + aheadMs;
    const { transport } = federation;
    const client = new TributaryClient({ endpoint: 'http://api.test', identity: ann, transport, clock });
    for (const jumped of [hour, -hour, 0]) {
      aheadMs = jumped;
      await expect(client.ticketStatus(ticketId)).rejects.toMatchObject({ code: 'ticket-unknown' });
    }
    expect(federation.refused).toBe(3);
  });

  test('by less than 30 seconds is not why a proof is refused', async () => {
    const federation = new FakeFederation();
    const client = clientOf(federation, 20_000);
    federation.registered = undefined;
    await expect(client.ticketStatus(ticketId)).rejects.toMatchObject({ code: 'identity-refused' });
    expect(federation.refused).toBe(1);
  });

  test('is not the only thing that may be wrong: after one more try the client gives up', async () => {
    const federation = new FakeFederation();
    const client = clientOf(federation, hour);
    federation.registered = undefined;
    const error = await client.ticketStatus(ticketId).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'identity-refused', retry: 'never' });
    expect(String(error)).toMatch(/client ann.*not enrolled.*revoked.*another key/);
    expect(federation.refused).toBe(2);
  });
});
