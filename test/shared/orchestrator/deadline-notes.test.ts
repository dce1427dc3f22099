import { describe, expect, test } from 'vitest';
import type { TaskId } from '../../../shared/core/names.ts';
import { publish } from '../../../shared/orchestrator/publish.ts';
import { settle } from '../../../shared/orchestrator/settle.ts';
import { onDeadline, startRoundIfReady } from '../../../shared/orchestrator/start-round.ts';
import { startTask, stopTask } from '../../../shared/orchestrator/task-lifecycle.ts';
import type { TaskConfigInput } from '../../../shared/wire/task-config.ts';
import { MemoryFederation } from '../../memory/federation.ts';

const filled = (value: number) => new Float32Array(11).fill(value);
const minute = 60_000;

/** A federation whose queue keeps notes until they are due. */
async function federationOf(config: Omit<TaskConfigInput, 'task'>) {
  const federation = new MemoryFederation();
  const task = await federation.start({ task: 'demo', ...config });
  return { federation, task, pending: () => federation.notes.map(({ note }) => note.atMs) };
}

/** Moves the clock to the note that is due first and delivers it, so many times. */
async function deliver(federation: MemoryFederation, task: TaskId, copies = 1): Promise<void> {
  const first = federation.notes.sort((a, b) => a.note.atMs - b.note.atMs).shift();
  if (!first) throw new Error('no note is left');
  federation.nowMs = Math.max(federation.nowMs, first.note.atMs);
  for (let copy = 0; copy < copies; copy++) await onDeadline(federation.ports, { task, atMs: first.note.atMs });
}

describe('the note of a deadline', () => {
  test('starts the round with what there is', async () => {
    const { federation, task } = await federationOf({ round: { buffer: 10, deadlineMs: 2 * minute } });
    await federation.contribute(task, 'one', filled(2));
    expect(federation.notes).toEqual([
      { note: { kind: 'deadline', task, atMs: federation.nowMs + 2 * minute }, delayMs: 2 * minute },
    ]);
    await federation.contribute(task, 'two', filled(4));
    expect(federation.notes).toHaveLength(1);
    await deliver(federation, task);
    expect([...federation.started.keys()]).toEqual(['demo-v1-a0']);
  });

  test('travels in hops of 15 minutes, as long as a message may wait', async () => {
    const { federation, task } = await federationOf({ round: { buffer: 10, deadlineMs: 40 * minute } });
    const startMs = federation.nowMs;
    await federation.contribute(task, 'one', filled(1));
    for (const hop of [15, 30, 40]) {
      expect(federation.notes.map(({ note }) => note.atMs)).toEqual([startMs + hop * minute]);
      expect(federation.started.size).toBe(0);
      await deliver(federation, task);
    }
    expect(federation.started.size).toBe(1);
  });

  test('is not followed by another while the buffer is below the minimum; the update that fills it starts the round', async () => {
    const { federation, task, pending } = await federationOf({ round: { buffer: 10, minimum: 2, deadlineMs: minute } });
    await federation.contribute(task, 'one', filled(1));
    expect(pending()).toEqual([]);
    federation.nowMs += 5 * minute;
    await federation.contribute(task, 'two', filled(3));
    expect([...federation.started.keys()]).toEqual(['demo-v1-a0']);
    expect(pending()).toHaveLength(1);
    await federation.runStarted();
    await deliver(federation, task);
    expect(pending()).toEqual([]);
  });

  test('stays one, however often it is delivered or its work fails', async () => {
    const { federation, task, pending } = await federationOf({ round: { buffer: 2, deadlineMs: minute } });
    for (const client of ['a', 'b']) await federation.contribute(task, client, filled(1));
    federation.ports.starter.start = async () => {
      throw new Error('ThrottlingException');
    };
    for (let period = 0; period < 10; period++) {
      await deliver(federation, task, 1).catch(() => {});
      await onDeadline(federation.ports, { task, atMs: federation.nowMs }).catch(() => {});
      await onDeadline(federation.ports, { task, atMs: federation.nowMs }).catch(() => {});
      expect(pending()).toHaveLength(1);
    }
  });

  test('that was dropped while the task was stopped is left again when it goes on', async () => {
    const { federation, task, pending } = await federationOf({ round: { buffer: 5 } });
    await federation.contribute(task, 'a', filled(1));
    await stopTask(federation.ports, task);
    await deliver(federation, task);
    expect(pending()).toEqual([]);
    expect(federation.started.size).toBe(0);
    await startTask(federation.ports, task);
    expect([...federation.started.keys()]).toEqual(['demo-v1-a0']);
    expect(pending()).toHaveLength(1);
  });

  test('that comes early waits on', async () => {
    const { federation, task } = await federationOf({ round: { buffer: 5 } });
    await federation.contribute(task, 'a', filled(1));
    const [{ note }] = federation.notes.splice(0);
    federation.nowMs = note.atMs - 1_000;
    await onDeadline(federation.ports, note);
    expect(federation.notes).toEqual([{ note, delayMs: 1_000 }]);
  });

  test('gives way to an earlier one, and neither is lost', async () => {
    const { federation, task, pending } = await federationOf({ round: { buffer: 2, deadlineMs: 5_000 } });
    for (const client of ['a', 'b']) await federation.contribute(task, client, filled(1));
    await federation.runStarted(); // Two notes: the first update's deadline, and a minute's watch over the round.
    await federation.contribute(task, 'c', filled(1));
    expect(Math.min(...pending())).toBe(federation.nowMs + 5_000);
    while (federation.notes.length > 0 && federation.started.size < 2) await deliver(federation, task);
    expect([...federation.started.keys()]).toEqual(['demo-v1-a0', 'demo-v2-a0']);
  });
});

describe('whatever dies without a word', () => {
  test('an execution is followed by another', async () => {
    const { federation, task } = await federationOf({ round: { buffer: 1 } });
    await federation.contribute(task, 'a', filled(1));
    federation.died.add('demo-v1-a0');
    await deliver(federation, task);
    expect([...federation.started.keys()]).toEqual(['demo-v1-a0', 'demo-v1-a1']);
    expect(await federation.runRound({ task, version: 1, attempt: 1 })).toBe('published');
  });

  test('five executions suspend the task', async () => {
    const { federation, task } = await federationOf({ round: { buffer: 1 } });
    await federation.contribute(task, 'a', filled(1));
    for (let attempt = 0; attempt < 5; attempt++) {
      federation.died.add(`demo-v1-a${attempt}`);
      await deliver(federation, task);
    }
    expect((await federation.rounds.task(task))?.state).toBe('suspended');
    expect(federation.started.size).toBe(5);
  });

  test('a round that published and never settled is settled by the next execution, with nothing in the buffer for it', async () => {
    const { federation, task, pending } = await federationOf({ round: { buffer: 1 } });
    await federation.contribute(task, 'a', filled(1));
    await publish(federation.ports, await federation.aggregateRound({ task, version: 1, attempt: 0 }));
    await deliver(federation, task);
    expect([...federation.started.keys()]).toEqual(['demo-v1-a0', 'demo-v2-a0']);
    expect(await federation.runRound({ task, version: 2, attempt: 0 })).toBe('not-ready');
    expect(await federation.rounds.task(task)).toMatchObject({ version: 1, settledVersion: 1, attempt: 1 });
    await deliver(federation, task);
    expect(pending()).toEqual([]);
  });

  test('the settle of a last round does not keep the task from ending', async () => {
    const { federation, task } = await federationOf({ round: { buffer: 1 }, stop: { rounds: 1 } });
    for (const client of ['a', 'b']) await federation.contribute(task, client, filled(1));
    await publish(federation.ports, await federation.aggregateRound({ task, version: 1, attempt: 0 }));
    await deliver(federation, task);
    expect(await federation.runRound({ task, version: 2, attempt: 0 })).toBe('not-ready');
    expect(await federation.rounds.task(task)).toMatchObject({ state: 'completed', version: 1, settledVersion: 1 });
    expect(await federation.rounds.counts(task)).toMatchObject({ admitted: 2, quarantined: 1 });
  });

  test('the end of a task is made up for, though no note was left for its rounds any more', async () => {
    const { federation, task, pending } = await federationOf({
      round: { buffer: 2, minimum: 2 },
      stop: { targetAccuracy: 0.5 },
    });
    for (const client of ['a', 'b']) await federation.contribute(task, client, filled(1));
    const one = await publish(federation.ports, await federation.aggregateRound({ task, version: 1, attempt: 0 }));
    await settle(federation.ports, { ...one, evaluation: null });
    await deliver(federation, task);
    expect(pending()).toEqual([]);
    await federation.contribute(task, 'c', filled(1));
    const expireTickets = federation.rounds.expireTickets.bind(federation.rounds);
    federation.rounds.expireTickets = async (id, nowMs, oldest) => {
      if (nowMs === Number.MAX_SAFE_INTEGER) throw new Error('TimeoutError');
      return expireTickets(id, nowMs, oldest);
    };
    const reached = settle(federation.ports, { ...one, evaluation: { loss: 0, accuracy: 0.6, examples: 1 } });
    await expect(reached).rejects.toThrow('TimeoutError');
    federation.rounds.expireTickets = expireTickets;
    await deliver(federation, task);
    expect(await federation.rounds.counts(task)).toMatchObject({ admitted: 3, quarantined: 1 });
    expect(pending()).toEqual([]);
  });

  test('the start of a task is made up for by starting it again', async () => {
    const { federation, task } = await federationOf({ round: { buffer: 1 } });
    const shelf = federation.rounds.shelves.get(task);
    if (shelf) shelf.record = { ...shelf.record, state: 'draft', settledVersion: -1 }; // It died after it had published.
    await startTask(federation.ports, task);
    expect(await federation.rounds.task(task)).toMatchObject({ state: 'running', version: 0, settledVersion: 0 });
    await startRoundIfReady(federation.ports, task);
    expect(federation.started.size).toBe(0);
  });
});
