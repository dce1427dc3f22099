import { describe, expect, test } from 'vitest';
import { TributaryClient } from '../../client/typescript/client.ts';
import type { ParticipationEvent, Train } from '../../client/typescript/participation.ts';
import type { Permission, Step } from '../../client/typescript/schedule.ts';
import { memoryStore } from '../../client/typescript/store.ts';
import { ann } from './ann.ts';
import { fakeServer } from './fake-server.ts';

const yes: Permission = { train: true };
const no = (reason: string): Permission => ({ train: false, reason });

const train: Train = async () => ({ params: new Float32Array(2), examples: 4 });

/** A client whose schedule answers each step from its list, and then with yes; its time passes only while it sleeps. */
function scheduled(answers: Partial<Record<Step, Permission[]>>, random = () => 0) {
  const server = fakeServer();
  const store = memoryStore();
  const asked: Step[] = [];
  const events: ParticipationEvent[] = [];
  let nowMs = 0;
  const client = new TributaryClient({
    endpoint: 'http://api.test/',
    identity: ann,
    transport: server.transport,
    store,
    surroundings: {
      now: () => nowMs,
      random,
      sleep: async (ms, signal) => {
        await new Promise((resolve) => setTimeout(resolve, 0));
        signal?.throwIfAborted();
        nowMs += ms;
      },
    },
  });
  const schedule = async (step: Step) => {
    asked.push(step);
    return answers[step]?.shift() ?? yes;
  };
  const onEvent = (event: ParticipationEvent) => events.push(event);
  return { client, server, store, asked, events, options: { train, schedule, onEvent, maxUpdates: 1 } };
}

const pauses = (events: readonly ParticipationEvent[]) =>
  events.flatMap((event) => (event.kind === 'waiting' ? [[event.ms, event.code, event.reason]] : []));

describe('a scheduled client', () => {
  test('asks for no ticket before it may train, and waits longer each time', async () => {
    const answers = { start: [no('not charging'), no('not charging'), no('in use')] };
    const { client, options, events, server } = scheduled(answers);
    expect((await client.participate('task', options)).updates).toBe(1);
    // From half of 10, 20 and 40 seconds.
    expect(pauses(events)).toEqual([
      [5_000, 'schedule', 'not charging'],
      [10_000, 'schedule', 'not charging'],
      [20_000, 'schedule', 'in use'],
    ]);
    expect(events.slice(0, 4).map(({ kind }) => kind)).toEqual(['waiting', 'waiting', 'waiting', 'ticket']);
    expect(server.count('ticket')).toBe(1);
  });

  test('never waits longer than ten minutes at a time', async () => {
    const { client, options, events } = scheduled(
      { start: Array.from({ length: 12 }, () => no('not charging')) },
      () => 1,
    );
    await client.participate('task', options);
    expect(Math.max(...pauses(events).map(([ms]) => Number(ms)))).toBe(600_000);
  });

  test('keeps a trained update until it may upload it', async () => {
    const { client, options, events, server, store, asked } = scheduled({ upload: [no('on a metered connection')] });
    let kept: Uint8Array | undefined;
    const onEvent = async (event: ParticipationEvent) => {
      events.push(event);
      if (event.kind === 'waiting') {
        expect(server.count('declare')).toBe(0);
        kept = await store.get('pending/task/ann');
      }
    };
    expect((await client.participate('task', { ...options, onEvent })).updates).toBe(1);
    expect(kept).toBeDefined();
    expect(asked).toEqual(['start', 'upload', 'upload']);
    expect(await store.get('pending/task/ann')).toBeUndefined();
  });

  test('gives an update up whose ticket expires before it may be uploaded', async () => {
    // The ticket's time is over after 1,000 s.
    const { client, options, events, server } = scheduled({ upload: Array.from({ length: 20 }, () => no('metered')) });
    const stop = new AbortController();
    const onEvent = (event: ParticipationEvent) => {
      events.push(event);
      if (event.kind === 'abandoned') stop.abort();
    };
    const summary = await client.participate('task', { ...options, onEvent, signal: stop.signal });
    expect(summary).toMatchObject({ updates: 0, reason: 'aborted' });
    expect(events.at(-1)).toMatchObject({ kind: 'abandoned', reason: expect.stringMatching(/expired/) });
    expect(pauses(events).reduce((sum, [ms]) => sum + Number(ms), 0)).toBe(1_000_000);
    expect(server.count('put')).toBe(0);
  });

  test('aborts a training that it may not go on with, and trains anew later', async () => {
    const { client, options, events, server } = scheduled({ continue: [yes, no('not charging')] });
    let trainings = 0;
    const untilAborted: Train = ({ signal }) =>
      new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)));
    const summary = await client.participate('task', {
      ...options,
      train: (input) => (++trainings === 1 ? untilAborted(input) : train(input)),
    });
    expect(summary.updates).toBe(1);
    expect(events.find(({ kind }) => kind === 'abandoned')).toMatchObject({ reason: 'not charging' });
    expect(server.count('ticket')).toBe(2);
  });

  test('takes a training that ended all the same', async () => {
    const { client, options, events } = scheduled({ continue: [no('not charging')] });
    const heedless: Train = (input) =>
      new Promise((resolve) => input.signal?.addEventListener('abort', () => resolve(train(input))));
    expect((await client.participate('task', { ...options, train: heedless })).updates).toBe(1);
    expect(events.some(({ kind }) => kind === 'abandoned')).toBe(false);
  });

  test('stops at once when it is told to while it waits', async () => {
    const stop = new AbortController();
    const { client, options } = scheduled({ start: [no('not charging')] });
    const onEvent = () => stop.abort();
    expect(await client.participate('task', { ...options, onEvent, signal: stop.signal })).toMatchObject({
      reason: 'aborted',
    });
  });
});

test('a client that is stopped when its training has ended keeps the update for the next start', async () => {
  const stop = new AbortController();
  const { client, options, server } = scheduled({});
  const stopped: Train = async (input) => {
    stop.abort();
    return train(input);
  };
  const first = await client.participate('task', { ...options, train: stopped, signal: stop.signal });
  expect([first.reason, server.count('declare')]).toEqual(['aborted', 0]);
  const second = await client.participate('task', {
    ...options,
    train: () => Promise.reject(new Error('must not train')),
  });
  expect([second.updates, server.count('ticket'), server.count('put')]).toEqual([1, 1, 1]);
});
