import { describe, expect, test } from 'vitest';
import type { TaskId } from '../../../shared/core/names.ts';
import { freeze } from '../../../shared/orchestrator/freeze.ts';
import { publish } from '../../../shared/orchestrator/publish.ts';
import { release } from '../../../shared/orchestrator/release.ts';
import { settle } from '../../../shared/orchestrator/settle.ts';
import { rollback } from '../../../shared/orchestrator/task-lifecycle.ts';
import type { ManifestInput, RoundInput } from '../../../shared/wire/workflow.ts';
import { MemoryFederation } from '../../memory/federation.ts';

const filled = (value: number) => new Float32Array(11).fill(value);
const failed = { error: 'Lambda.Unknown', cause: '' };

/** Where each admitted update is: in a published version, in quarantine, in the buffer. */
async function places(federation: MemoryFederation, task: TaskId) {
  const [record, counts, buffer] = await Promise.all([
    federation.rounds.task(task),
    federation.rounds.counts(task),
    federation.rounds.buffer(task, 100),
  ]);
  const newest = record && (await federation.rounds.version(task, record.version));
  return { published: newest?.aggregatedTotal, quarantined: counts.quarantined, buffered: buffer.length };
}

async function roundOfTwo() {
  const federation = new MemoryFederation();
  const task = await federation.start({ task: 'demo', round: { buffer: 2, minimum: 1 } });
  const arrivals = [];
  for (const client of ['a', 'b']) arrivals.push(await federation.contribute(task, client, filled(1)));
  const first: RoundInput = { task, version: 1, attempt: 0 };
  return { federation, task, arrivals, first };
}

const isSuperseded = { code: 'round-superseded' };

describe('a round whose attempt was given up', () => {
  test('does not publish, whether or not another has', async () => {
    const { federation, task, first } = await roundOfTwo();
    const aggregated = await federation.aggregateRound(first);
    await release(federation.ports, { ...first, ...failed });
    await expect(publish(federation.ports, aggregated)).rejects.toMatchObject(isSuperseded);
    expect(await federation.runRound({ ...first, attempt: 1 })).toBe('published');
    await expect(publish(federation.ports, aggregated)).rejects.toMatchObject(isSuperseded);
    expect(await places(federation, task)).toEqual({ published: 2, quarantined: 0, buffered: 0 });
  });

  test('does not publish even if it was given up at the last moment', async () => {
    const { federation, task, first } = await roundOfTwo();
    const aggregated = await federation.aggregateRound(first);
    const completeParts = federation.models.completeParts.bind(federation.models);
    federation.models.completeParts = async (...args) => {
      await federation.rounds.nextAttempt(first, 'failed');
      return completeParts(...args);
    };
    await expect(publish(federation.ports, aggregated)).rejects.toMatchObject(isSuperseded);
    expect((await federation.rounds.task(task))?.version).toBe(0);
  });

  test('does not hold the next version up: its release leaves a newer round alone', async () => {
    const { federation, task, first } = await roundOfTwo();
    await federation.runRound(first);
    for (const client of ['a', 'b']) await federation.contribute(task, client, filled(1));
    const next = await federation.aggregateRound({ task, version: 2, attempt: 0 });
    await release(federation.ports, { ...first, ...failed });
    expect(await federation.rounds.task(task)).toMatchObject({ version: 1, attempt: 0, failures: 0 });
    await publish(federation.ports, next);
  });

  test('leaves no uploads behind when its freeze is tried again after a rollback', async () => {
    const { federation, task, first } = await roundOfTwo();
    await freeze(federation.ports, federation.layouts, first);
    await rollback(federation.ports, task, 0);
    expect(federation.models.uploads.size).toBe(1);
    expect(await freeze(federation.ports, federation.layouts, first)).toEqual({ outcome: 'superseded' });
    expect(federation.models.uploads.size).toBe(0);
  });

  test('is released although its manifest cannot be read', async () => {
    const { federation, task, first } = await roundOfTwo();
    const frozen = await freeze(federation.ports, federation.layouts, first);
    if (frozen.outcome !== 'frozen') throw new Error(frozen.outcome);
    federation.models.objects.set(frozen.manifestKey, new TextEncoder().encode('{}'));
    await release(federation.ports, { ...first, error: 'manifest-malformed', cause: '' });
    expect(await federation.rounds.task(task)).toMatchObject({ attempt: 1, failures: 1 });
    expect(await federation.runRound({ ...first, attempt: 1 })).toBe('published');
  });
});

describe('an update that one freeze has taken', () => {
  test('is not put aside by another of the same attempt, unless that attempt ends with it', async () => {
    const { federation, task, arrivals, first } = await roundOfTwo();
    const aggregated = await federation.aggregateRound(first);
    // The other freeze looked before the manifest was written, and after the update had been deleted.
    await federation.updates.remove([arrivals[0].key]);
    const head = federation.models.head.bind(federation.models);
    federation.models.head = async (key) => (key.endsWith('manifest.json') ? undefined : head(key));
    expect(await freeze(federation.ports, federation.layouts, first)).toEqual({ outcome: 'not-ready' });
    federation.models.head = head;
    await expect(publish(federation.ports, aggregated)).rejects.toMatchObject(isSuperseded);
    expect(await places(federation, task)).toEqual({ published: 0, quarantined: 1, buffered: 1 });
  });

  test('is not put aside once its version is published', async () => {
    const { federation, task, arrivals, first } = await roundOfTwo();
    const aggregated = await federation.aggregateRound(first);
    const head = federation.models.head.bind(federation.models);
    let published: unknown;
    federation.models.head = async (key) => (key.endsWith('manifest.json') && !published ? undefined : head(key));
    federation.updates.head = async () => {
      // The other execution publishes, and deletes the bytes, while this one looks.
      federation.models.head = head;
      published ??= await publish(federation.ports, aggregated);
      await federation.updates.remove(arrivals.map(({ key }) => key));
      return undefined;
    };
    await freeze(federation.ports, federation.layouts, first);
    await settle(federation.ports, { task, version: 1, manifestKey: aggregated.manifestKey, evaluation: null });
    expect(await places(federation, task)).toEqual({ published: 2, quarantined: 0, buffered: 0 });
  });

  test('takes no part in a version after the task has ended', async () => {
    const federation = new MemoryFederation();
    const task = await federation.start({ task: 'demo', round: { buffer: 1 }, stop: { targetAccuracy: 0.5 } });
    await federation.contribute(task, 'a', filled(1));
    const one = await publish(federation.ports, await federation.aggregateRound({ task, version: 1, attempt: 0 }));
    await federation.contribute(task, 'b', filled(1));
    // Version 2 is under way, started by a note, while version 1 is evaluated.
    const two: ManifestInput = await federation.aggregateRound({ task, version: 2, attempt: 0 });
    await settle(federation.ports, { ...one, evaluation: { loss: 0, accuracy: 0.6, examples: 1 } });
    expect((await federation.rounds.task(task))?.state).toBe('completed');
    await expect(publish(federation.ports, two)).rejects.toMatchObject(isSuperseded);
    expect(await places(federation, task)).toEqual({ published: 1, quarantined: 1, buffered: 0 });
  });

  test('is counted in the version that was published just before the task ended', async () => {
    const federation = new MemoryFederation();
    const task = await federation.start({ task: 'demo', round: { buffer: 1 }, stop: { targetAccuracy: 0.5 } });
    await federation.contribute(task, 'a', filled(1));
    const one = await publish(federation.ports, await federation.aggregateRound({ task, version: 1, attempt: 0 }));
    await federation.contribute(task, 'b', filled(1));
    const aggregated = await federation.aggregateRound({ task, version: 2, attempt: 0 });
    const end = federation.rounds.setTaskState.bind(federation.rounds);
    federation.rounds.setTaskState = async (...args) => {
      await publish(federation.ports, aggregated);
      return end(...args);
    };
    await settle(federation.ports, { ...one, evaluation: { loss: 0, accuracy: 0.6, examples: 1 } });
    expect(await places(federation, task)).toEqual({ published: 2, quarantined: 0, buffered: 1 });
    await settle(federation.ports, { task, version: 2, manifestKey: aggregated.manifestKey, evaluation: null });
    expect(await places(federation, task)).toEqual({ published: 2, quarantined: 0, buffered: 0 });
  });
});

describe('a rollback whose answer was lost', () => {
  test('publishes one version, however often it is asked for', async () => {
    const { federation, task, first } = await roundOfTwo();
    await federation.runRound(first);
    for (let asked = 0; asked < 3; asked++) expect(await rollback(federation.ports, task, 0)).toBe(2);
    for (const client of ['a', 'b']) await federation.contribute(task, client, filled(1));
    await federation.runStarted();
    expect(await rollback(federation.ports, task, 0)).toBe(4);
    const versions = await federation.rounds.versions(task);
    expect(versions.map(({ origin }) => origin.kind)).toEqual(['initial', 'round', 'rollback', 'round', 'rollback']);
  });

  test('settles what it published when it is asked again', async () => {
    const { federation, task } = await roundOfTwo();
    const consume = federation.rounds.consume.bind(federation.rounds);
    federation.rounds.consume = async () => {
      throw new Error('TimeoutError');
    };
    await expect(rollback(federation.ports, task, 0)).rejects.toThrow('TimeoutError');
    federation.rounds.consume = consume;
    expect(await rollback(federation.ports, task, 0)).toBe(1);
    expect(await federation.rounds.task(task)).toMatchObject({ version: 1, settledVersion: 1 });
  });
});
