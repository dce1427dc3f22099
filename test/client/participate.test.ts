import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { TributaryClient } from '../../client/typescript/client.ts';
import type { ParticipationEvent, Train } from '../../client/typescript/participation.ts';
import { memoryStore, type Store } from '../../client/typescript/store.ts';
import { parseSafetensors } from '../../shared/wire/safetensors.ts';
import { ann } from './ann.ts';
import { fakeServer, json, problem, put, text, ticketId } from './fake-server.ts';

/** Trains by adding 0.5 to the first parameter and taking 1 from the second. */
const train: Train = async ({ params }) => ({
  params: Float32Array.of(params.values[0] + 0.5, params.values[1] - 1),
  examples: 4,
  metrics: { trainLoss: 0.25 },
});

function clientOf(
  server: ReturnType<typeof fakeServer>,
  { store, random = () => 0 }: { store?: Store; random?: () => number } = {},
) {
  const slept: number[] = [];
  const client = new TributaryClient({
    endpoint: 'http://api.test/',
    identity: ann,
    transport: server.transport,
    store,
    surroundings: {
      now: () => 0,
      random,
      sleep: async (ms, signal) => {
        signal?.throwIfAborted();
        slept.push(ms);
      },
    },
  });
  return { client, slept };
}

const kinds = (events: ParticipationEvent[]) => events.map(({ kind }) => kind);

describe('taking part', () => {
  test('uploads trained minus base, with the metadata that the server checks', async () => {
    const server = fakeServer();
    const { client } = clientOf(server);
    const summary = await client.participate('task', { train, maxUpdates: 1 });
    expect(summary).toEqual({ task: 'task', updates: 1, examples: 4, reason: 'max-updates' });
    const stored = server.requests.find(({ step }) => step === 'put');
    const { values, metadata } = parseSafetensors(stored?.body ?? new Uint8Array());
    expect([...values]).toEqual([0.5, -1]);
    expect(metadata).toEqual({ task: 'task', baseVersion: '7', codec: 'float32', examples: '4' });
  });

  test('declares exactly the bytes that it stores, and sends exactly the given headers', async () => {
    const server = fakeServer();
    await clientOf(server).client.participate('task', { train, maxUpdates: 1 });
    const stored = server.requests.find(({ step }) => step === 'put');
    const declared = server.requests.find(({ step }) => step === 'declare');
    const bytes = stored?.body ?? new Uint8Array();
    expect(JSON.parse(new TextDecoder().decode(declared?.body))).toEqual({
      bytes: bytes.length,
      sha256: createHash('sha256').update(bytes).digest('hex'),
      examples: 4,
      metrics: { trainLoss: 0.25 },
      agent: expect.stringMatching(/^tributary-client\/[\d.]+ Node\.js\/\d+$/),
      statement: expect.any(String),
    });
    expect(stored?.url).toBe(put.url);
    expect(stored?.headers).toEqual(put.headers);
  });

  test('reports what the model measured before training, beside what training gives', async () => {
    const server = fakeServer();
    const evaluate = async () => ({ accuracy: 0.75 });
    await clientOf(server).client.participate('task', { train, evaluate, maxUpdates: 1 });
    const declared = server.requests.find(({ step }) => step === 'declare');
    const { metrics } = JSON.parse(new TextDecoder().decode(declared?.body));
    expect(metrics).toEqual({ accuracy: 0.75, trainLoss: 0.25 });
  });

  test('ends with a summary when the task has ended', async () => {
    const server = fakeServer({ ticket: [problem(410, 'task-ended')] });
    const summary = await clientOf(server).client.participate('task', { train });
    expect(summary).toEqual({ task: 'task', updates: 0, examples: 0, reason: 'task-ended' });
  });

  test('waits as long as a full task asks, and at most half as long again', async () => {
    for (const [random, expected] of [
      [0, 3_000],
      [0.999, 4_498.5],
    ]) {
      const server = fakeServer({
        ticket: [problem(429, 'cohort-full', { retryAfterMs: 3_000 }), problem(410, 'task-ended')],
      });
      const { client, slept } = clientOf(server, { random: () => random });
      await client.participate('task', { train });
      expect(slept).toEqual([expected]);
    }
  });

  test('throws with the code of the server on an unknown task', async () => {
    const server = fakeServer({ ticket: [problem(404, 'task-unknown')] });
    await expect(clientOf(server).client.participate('task', { train })).rejects.toMatchObject({
      code: 'task-unknown',
    });
    expect(server.count('ticket')).toBe(1);
  });

  test('downloads the training package once for many tickets, and the model each time', async () => {
    const server = fakeServer();
    await clientOf(server).client.participate('task', { train, maxUpdates: 3 });
    expect(server.count('model')).toBe(3);
    // Three files with one checksum; the first round asks for them side by side.
    expect(server.count('package')).toBe(3);
  });

  test('gives a ticket up where training gives nothing, and goes on', async () => {
    const server = fakeServer({ ticket: [] });
    let turns = 0;
    const events: ParticipationEvent[] = [];
    await clientOf(server).client.participate('task', {
      train: async (input) => (turns++ === 0 ? undefined : train(input)),
      maxUpdates: 1,
      onEvent: (event) => events.push(event),
    });
    expect(kinds(events)).toEqual(['ticket', 'downloaded', 'abandoned', 'ticket', 'downloaded', 'trained', 'uploaded']);
  });

  test.each([
    ['a diverged model', async () => ({ params: Float32Array.of(Number.NaN, 0), examples: 1 }), 'update-not-finite'],
    ['the wrong number of parameters', async () => ({ params: new Float32Array(3), examples: 1 }), 'update-length'],
    ['no examples', async () => ({ params: new Float32Array(2), examples: 0 }), 'update-examples'],
  ])('uploads nothing after %s', async (_, bad: Train, code) => {
    const server = fakeServer();
    await expect(clientOf(server).client.participate('task', { train: bad })).rejects.toMatchObject({ code });
    expect(server.count('declare')).toBe(0);
  });

  test('stops at once when aborted while it waits', async () => {
    const stop = new AbortController();
    const server = fakeServer({ ticket: [problem(429, 'cohort-full', { retryAfterMs: 60_000 })] });
    const { client } = clientOf(server);
    const onEvent = () => stop.abort();
    const summary = await client.participate('task', { train, signal: stop.signal, onEvent });
    expect(summary.reason).toBe('aborted');
    expect(server.count('ticket')).toBe(1);
  });

  test('tells what became of an update when asked to wait for it', async () => {
    const status = (state: string, more = {}) =>
      json(200, { ticket: ticketId, task: 'task', state, baseVersion: 7, ...more });
    const server = fakeServer({
      status: [status('uploading'), status('admitted'), status('quarantined', { reason: 'too-stale' })],
    });
    const events: ParticipationEvent[] = [];
    await clientOf(server).client.participate('task', {
      train,
      maxUpdates: 1,
      awaitOutcome: true,
      onEvent: (event) => events.push(event),
    });
    expect(events.at(-1)).toMatchObject({ kind: 'outcome', state: 'quarantined', reason: 'too-stale' });
  });
});

describe('a failing network', () => {
  test('repeats after lost connections and server faults, pausing below a doubling ceiling', async () => {
    const server = fakeServer({
      ticket: [new TypeError('fetch failed'), text(500, ''), problem(503, 'busy', { retryAfterMs: 100 })],
    });
    const { client, slept } = clientOf(server, { random: () => 0.5 });
    await client.participate('task', { train, maxUpdates: 1 });
    // Half of 200, 400 and 800 ms; the last one after the 100 ms that the server asked for.
    expect(slept).toEqual([100, 200, 500]);
  });

  test('waits where API Gateway turns it away, which does not say for how long', async () => {
    const server = fakeServer({
      ticket: [json(429, { message: 'Too Many Requests' }), json(503, { message: 'Service Unavailable' })],
      declare: [json(429, { message: 'Too Many Requests' }), json(503, { message: 'Service Unavailable' })],
    });
    const { client, slept } = clientOf(server, { random: () => 0.5 });
    const summary = await client.participate('task', { train, maxUpdates: 1 });
    expect(summary).toMatchObject({ updates: 1 });
    expect(server.count('ticket')).toBe(3);
    expect(server.count('declare')).toBe(3);
    // A ticket is asked for again after 2 s and a quarter of it; what fails otherwise, after half of 200 and 400 ms: below a doubling ceiling.
    expect(slept).toEqual([2_500, 100, 100, 200]);
  });

  test('gives up after six tries, with the last reason', async () => {
    const server = fakeServer({
      ticket: Array.from({ length: 9 }, () => new TypeError('fetch failed', { cause: new Error('ECONNREFUSED') })),
    });
    await expect(clientOf(server).client.participate('task', { train })).rejects.toThrow(/network.*ECONNREFUSED/);
    expect(server.count('ticket')).toBe(6);
  });

  test('asks for a new URL when storing failed, and takes 412 on the second try as stored', async () => {
    const server = fakeServer({
      put: [new TypeError('socket hang up'), text(412, '<Error><Code>PreconditionFailed</Code></Error>')],
    });
    const summary = await clientOf(server).client.participate('task', { train, maxUpdates: 1 });
    expect(summary.updates).toBe(1);
    expect(server.count('declare')).toBe(2);
  });

  test('asks for a new URL when one has expired, and gives up the ticket that has expired with it', async () => {
    const expired = () => text(403, '<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>');
    const server = fakeServer({
      put: [expired(), expired()],
      declare: [json(200, put), problem(410, 'ticket-expired')],
    });
    const events: ParticipationEvent[] = [];
    const onEvent = (event: ParticipationEvent) => events.push(event);
    const summary = await clientOf(server).client.participate('task', { train, maxUpdates: 1, onEvent });
    expect(summary.updates).toBe(1);
    expect(kinds(events).filter((kind) => kind === 'abandoned')).toHaveLength(1);
    // One for the ticket that expired, two for the next, whose first URL had expired.
    expect(server.count('put')).toBe(3);
  });

  test('does not take 412 on the very first try as stored', async () => {
    const server = fakeServer({
      put: [text(412, '<Error><Code>PreconditionFailed</Code><Message>At least one</Message></Error>')],
    });
    await expect(clientOf(server).client.participate('task', { train })).rejects.toMatchObject({ code: 'http-412' });
  });

  test('goes on to the next ticket when one expired during training', async () => {
    const server = fakeServer({ declare: [problem(410, 'ticket-expired')] });
    const events: ParticipationEvent[] = [];
    const summary = await clientOf(server).client.participate('task', {
      train,
      maxUpdates: 1,
      onEvent: (event) => events.push(event),
    });
    expect(summary.updates).toBe(1);
    expect(kinds(events).filter((kind) => kind === 'abandoned')).toHaveLength(1);
  });

  test('asks for a new URL when one ran out on the way, and goes on if the ticket has run out with it', async () => {
    const late = fakeServer({ put: [text(403, 'Request has expired')] });
    expect((await clientOf(late).client.participate('task', { train, maxUpdates: 1 })).updates).toBe(1);
    expect([late.count('declare'), late.count('ticket')]).toEqual([2, 1]);

    const declared = [json(200, put), problem(410, 'ticket-expired')];
    const tooLate = fakeServer({ put: [text(403, 'Request has expired')], declare: declared });
    expect((await clientOf(tooLate).client.participate('task', { train, maxUpdates: 1 })).updates).toBe(1);
    expect([tooLate.count('declare'), tooLate.count('ticket')]).toEqual([3, 2]);
  });

  test('goes on to the next ticket when one ran out before its model was downloaded', async () => {
    const server = fakeServer({ model: [text(403, '<Error><Message>Request has expired</Message></Error>')] });
    const events: ParticipationEvent[] = [];
    const onEvent = (event: ParticipationEvent) => events.push(event);
    const summary = await clientOf(server).client.participate('task', { train, maxUpdates: 1, onEvent });
    expect(summary.updates).toBe(1);
    expect(kinds(events).filter((kind) => kind === 'abandoned')).toHaveLength(1);
    expect(server.count('ticket')).toBe(2);
  });

  test('ends where a download is forbidden', async () => {
    const server = fakeServer({ model: [text(403, '<Error><Code>AccessDenied</Code></Error>')] });
    await expect(clientOf(server).client.participate('task', { train })).rejects.toMatchObject({ code: 'http-403' });
  });

  test.each([
    [400, 'http-400'],
    [401, 'identity-refused'],
    [403, 'identity-refused'],
    [413, 'http-413'],
    [422, 'http-422'],
  ])('does not repeat what is answered with %d', async (status, code) => {
    const server = fakeServer({ declare: [text(status, 'no')] });
    await expect(clientOf(server).client.participate('task', { train })).rejects.toMatchObject({ code });
    expect(server.count('declare')).toBe(1);
  });

  test('fetches a file of the package again whose checksum is wrong', async () => {
    const server = fakeServer({ package: [text(200, 'abd')] });
    const summary = await clientOf(server).client.participate('task', { train, maxUpdates: 1 });
    expect(summary.updates).toBe(1);
    expect(server.count('package')).toBe(4);
  });
});

describe('after a crash', () => {
  /** A store as a client leaves it that dies while it stores its update. */
  async function crashed(): Promise<Store> {
    const store = memoryStore();
    const dying = fakeServer({ put: Array.from({ length: 6 }, () => new TypeError('killed')) });
    await expect(clientOf(dying, { store }).client.participate('task', { train })).rejects.toMatchObject({
      code: 'network',
    });
    return store;
  }

  test('stores the unfinished update without training again', async () => {
    const store = await crashed();
    const server = fakeServer();
    const events: ParticipationEvent[] = [];
    const summary = await clientOf(server, { store }).client.participate('task', {
      train: () => Promise.reject(new Error('must not train')),
      maxUpdates: 1,
      onEvent: (event) => events.push(event),
    });
    expect(summary).toMatchObject({ updates: 1, examples: 4 });
    expect(kinds(events)).toEqual(['resumed', 'uploaded']);
    expect(server.count('ticket')).toBe(0);
  });

  test('takes 412 as stored: the earlier process got that far', async () => {
    const store = await crashed();
    const server = fakeServer({ put: [text(412, '')] });
    const summary = await clientOf(server, { store }).client.participate('task', { train, maxUpdates: 1 });
    expect(summary.updates).toBe(1);
    expect(server.count('ticket')).toBe(0);
  });

  test('counts an update that is aggregated already as stored', async () => {
    const store = await crashed();
    const server = fakeServer({ declare: [problem(409, 'ticket-used')] });
    const summary = await clientOf(server, { store }).client.participate('task', { train, maxUpdates: 1 });
    expect(summary.updates).toBe(1);
    expect(server.count('ticket')).toBe(0);
  });

  test('drops an update whose ticket has expired, and asks for another', async () => {
    const store = await crashed();
    const expired = json(200, { ticket: ticketId, task: 'task', state: 'expired', baseVersion: 7 });
    const server = fakeServer({ declare: [problem(410, 'ticket-expired')], status: [expired] });
    const summary = await clientOf(server, { store }).client.participate('task', { train, maxUpdates: 1 });
    expect(summary.updates).toBe(1);
    expect(server.count('ticket')).toBe(1);
  });

  test('starts anew where what was left cannot be read', async () => {
    const store = memoryStore();
    await store.set('pending/task/ann', new TextEncoder().encode('{"ticket":\n'));
    const server = fakeServer();
    const summary = await clientOf(server, { store }).client.participate('task', { train, maxUpdates: 1 });
    expect(summary.updates).toBe(1);
    expect(server.count('ticket')).toBe(1);
  });
});
