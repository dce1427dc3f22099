import { beforeEach, describe, expect, test } from 'vitest';
import { issueTicket } from '../../../shared/orchestrator/issue-ticket.ts';
import { publish } from '../../../shared/orchestrator/publish.ts';
import { clientId, MemoryFederation, taskId } from '../../memory/federation.ts';

const task = taskId('selected');
let federation: MemoryFederation;

const ask = (client: string) => issueTicket(federation.ports, task, { client: clientId(client) });
const outcome = (client: string) =>
  ask(client).then(
    () => 'issued',
    ({ code, retryAfterMs }: { code: string; retryAfterMs?: number }) => `${code} ${retryAfterMs}`,
  );
const step = () => new Float32Array(federation.layout.size).fill(1);
const lifetimeMs = 60_000;

beforeEach(() => {
  federation = new MemoryFederation();
});

describe('a client that lets its tickets run out', () => {
  beforeEach(() => federation.start({ task, selection: { ticketLifetimeMs: lifetimeMs } }));

  const miss = async () => {
    expect(await outcome('idle')).toBe('issued');
    federation.nowMs += lifetimeMs;
  };

  test('is asked again at once after the first, then waits a lifetime, then twice that', async () => {
    await miss();
    await miss();
    expect(await outcome('idle')).toBe(`client-paced ${lifetimeMs}`);
    federation.nowMs += lifetimeMs;
    await miss();
    expect(await outcome('idle')).toBe(`client-paced ${2 * lifetimeMs}`);
    expect(await outcome('other')).toBe('issued');
  });

  test('never waits longer than a day', async () => {
    for (let missed = 0; missed < 20; missed++) {
      await miss();
      await ask('other').catch(() => {}); // Somebody's request ends what has run out.
      federation.nowMs += 24 * 3600 * 1000;
    }
    await miss();
    expect(await outcome('idle')).toBe(`client-paced ${24 * 3600 * 1000}`);
  });

  test('starts afresh with an update', async () => {
    await miss();
    await federation.contribute(task, 'idle', step());
    await miss();
    expect(await outcome('idle')).toBe('issued');
  });
});

test('a synchronous round asks more clients than it needs, and those that come too late hold up nobody', async () => {
  await federation.start({
    task,
    round: { mode: 'sync', buffer: 4, maxStaleness: 0 },
    selection: { concurrency: 100, overSelection: 1.5 },
  });
  const names = ['a', 'b', 'c', 'd', 'e', 'f'];
  const arrivals = [];
  for (const name of names) arrivals.push(await federation.upload(task, name, step()));
  expect(await outcome('g')).toMatch('cohort-full');
  for (const arrival of arrivals.slice(0, 4)) await federation.admit(arrival);
  await federation.runStarted();
  expect((await federation.rounds.task(task))?.version).toBe(1);
  expect(await outcome('g')).toBe('issued');
  await federation.admit(arrivals[4]);
  const { admitted, quarantined } = await federation.rounds.counts(task);
  expect({ admitted, quarantined }).toEqual({ admitted: 4, quarantined: 1 });
});

test('a synchronous round takes each client once, and no more than it needs, also before the last one is settled', async () => {
  await federation.start({ task, round: { mode: 'sync', buffer: 3, maxStaleness: 0 } });
  for (const name of ['a', 'b', 'c']) await federation.contribute(task, name, step());
  await publish(federation.ports, await federation.aggregateRound({ task, version: 1, attempt: 0 }));
  expect((await federation.rounds.buffer(task, 9)).map(({ baseVersion }) => baseVersion)).toEqual([0, 0, 0]);
  await federation.contribute(task, 'a', step());
  expect(await outcome('a')).toMatch('client-busy');
  for (const name of ['b', 'c']) await federation.contribute(task, name, step());
  expect(await outcome('d')).toMatch('cohort-full');
});

test('a full buffer asks nobody, however many a round asks for each one that it needs', async () => {
  await federation.start({
    task,
    round: { mode: 'sync', buffer: 2, maxStaleness: 0 },
    selection: { overSelection: 2 },
  });
  for (const name of ['a', 'b']) await federation.contribute(task, name, step());
  expect(await outcome('c')).toMatch('cohort-full');
});

test('a ticket says what the data is used for', async () => {
  await federation.start({ task, purpose: 'Predict sepsis in intensive care' });
  expect(await ask('a')).toMatchObject({ purpose: 'Predict sepsis in intensive care' });
});

describe('updates are kept', () => {
  const stored = () => federation.updates.objects.size;

  async function rounds(count: number) {
    for (let round = 0; round < count; round++) {
      await federation.contribute(task, 'a', step());
      await federation.runStarted();
    }
  }

  test('until their version is settled', async () => {
    await federation.start({ task, round: { buffer: 1 } });
    await rounds(3);
    expect(stored()).toBe(0);
  });

  test('for as many versions as the task says', async () => {
    await federation.start({ task, round: { buffer: 1 }, retention: { updateVersions: 2 } });
    await rounds(1);
    expect(stored()).toBe(1);
    await rounds(4);
    expect(stored()).toBe(2);
    const kept = [...federation.updates.objects.keys()];
    const manifests = await Promise.all(
      [4, 5].map(async (version) => {
        const record = await federation.rounds.version(task, version);
        return JSON.parse(new TextDecoder().decode(federation.models.objects.get(record?.manifestKey ?? '')));
      }),
    );
    expect(manifests.map(({ updates }) => updates[0].key).sort()).toEqual(kept.sort());
  });
});
