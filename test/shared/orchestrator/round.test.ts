import { describe, expect, test } from 'vitest';
import type { TaskId } from '../../../shared/core/names.ts';
import { layoutOf } from '../../../shared/core/params.ts';
import { admitUpdate } from '../../../shared/orchestrator/admit-update.ts';
import { aggregateCell } from '../../../shared/orchestrator/aggregate.ts';
import { freeze } from '../../../shared/orchestrator/freeze.ts';
import { publish } from '../../../shared/orchestrator/publish.ts';
import { release } from '../../../shared/orchestrator/release.ts';
import { settle } from '../../../shared/orchestrator/settle.ts';
import { showTask } from '../../../shared/orchestrator/show-task.ts';
import { createTask, rollback, startTask, stopTask } from '../../../shared/orchestrator/task-lifecycle.ts';
import { parseSafetensors } from '../../../shared/wire/safetensors.ts';
import { taskConfigSchema } from '../../../shared/wire/task-config.ts';
import { MemoryFederation } from '../../memory/federation.ts';

const filled = (value: number, size = 11) => new Float32Array(size).fill(value);

async function modelOf(federation: MemoryFederation, task: TaskId) {
  const record = await federation.rounds.task(task);
  return parseSafetensors(federation.models.objects.get(record?.model?.key ?? '') ?? new Uint8Array());
}

describe('a round', () => {
  test('starts at the K-th update and publishes base plus the weighted mean', async () => {
    const federation = new MemoryFederation();
    const task = await federation.start({ task: 'demo', round: { buffer: 2 } });
    await federation.contribute(task, 'one', filled(1), { examples: 30 });
    expect(federation.started.size).toBe(0);
    await federation.contribute(task, 'two', filled(5), { examples: 10 });
    expect([...federation.started.keys()]).toEqual(['demo-v1-a0']);
    await federation.runStarted();
    const model = await modelOf(federation, task);
    expect([...model.values]).toEqual([...filled(2)]); // (30 * 1 + 10 * 5) / 40
    expect(model.metadata).toEqual({ task: 'demo', version: '1' });
    const shown = await showTask(federation.ports, task);
    expect(shown.updates).toEqual({
      issued: 2,
      open: 0,
      admitted: 2,
      aggregated: 2,
      quarantined: 0,
      expired: 0,
      buffered: 0,
    });
    expect(federation.updates.objects.size).toBe(0);
  });

  test('weighs a stale update less', async () => {
    const federation = new MemoryFederation();
    const task = await federation.start({ task: 'demo', round: { buffer: 1 } });
    const late = await federation.upload(task, 'late', filled(1));
    for (const client of ['a', 'b', 'c']) {
      await federation.contribute(task, client, filled(0));
      await federation.runStarted();
    }
    await admitUpdate(federation.ports, federation.layouts, late);
    await federation.runStarted();
    const version = await federation.rounds.version(task, 4);
    expect(version?.staleness).toEqual({ '3': 1 });
  });

  test('is cut into tiles of 5 MiB that give the model of one tile', async () => {
    const size = 3 * 1024 * 1024;
    const layout = layoutOf([{ name: 'w', shape: [size] }]);
    const update = Float32Array.from({ length: size }, (_, i) => Math.fround(Math.sin(i)));
    const models = [];
    for (const tileBytes of [5 * 1024 * 1024, 64 * 1024 * 1024]) {
      const federation = new MemoryFederation(layout);
      const task = await federation.start({
        task: 'demo',
        round: { buffer: 1 },
        tileBytes,
        serverOptimizer: { kind: 'sgd', momentum: 0.9 },
      });
      await federation.contribute(task, 'one', update);
      await federation.runStarted();
      models.push([...federation.models.objects].filter(([key]) => /rounds\/.*safetensors$/.test(key)));
    }
    expect(models[0].map(([key]) => key)).toEqual(models[1].map(([key]) => key));
    for (const i of [0, 1]) expect(Buffer.compare(models[0][i][1], models[1][i][1])).toBe(0);
  });

  test('gives the same bytes whatever the order of arrival', async () => {
    const orders = [
      [0, 1, 2, 3],
      [3, 1, 0, 2],
    ];
    const models = [];
    for (const order of orders) {
      const federation = new MemoryFederation();
      const task = await federation.start({ task: 'demo', round: { buffer: 4 } });
      for (const i of order) {
        await federation.contribute(
          task,
          `client-${i}`,
          Float32Array.from({ length: 11 }, (_, j) => Math.fround(0.1 * i + 1e-7 * j)),
          { examples: 3 + i },
        );
      }
      await federation.runStarted();
      models.push(await modelOf(federation, task));
    }
    expect(models[0].values).toEqual(models[1].values);
  });

  test('carries momentum from version to version', async () => {
    const federation = new MemoryFederation();
    const task = await federation.start({
      task: 'demo',
      round: { buffer: 1 },
      serverOptimizer: { kind: 'sgd', momentum: 0.5 },
    });
    for (const client of ['a', 'b']) {
      await federation.contribute(task, client, filled(1));
      await federation.runStarted();
    }
    expect((await modelOf(federation, task)).values[0]).toBe(2.5); // v: 1, then 0.5 + 1; x: 1, then 2.5
  });

  test('takes the oldest K and leaves the rest for the next one', async () => {
    const federation = new MemoryFederation();
    const task = await federation.start({ task: 'demo', round: { buffer: 2 } });
    for (const [i, client] of ['a', 'b', 'c'].entries()) {
      federation.nowMs += 1;
      await federation.contribute(task, client, filled(i));
    }
    await federation.runStarted();
    expect((await modelOf(federation, task)).values[0]).toBe(0.5);
    expect((await showTask(federation.ports, task)).updates.buffered).toBe(1);
  });

  test('does not start before the last one is settled, nor after the last one asked for', async () => {
    const federation = new MemoryFederation();
    const task = await federation.start({ task: 'demo', round: { buffer: 1 }, stop: { rounds: 2 } });
    await federation.contribute(task, 'a', filled(1));
    const aggregated = await federation.aggregateRound({ task, version: 1, attempt: 0 });
    const published = await publish(federation.ports, aggregated);
    for (const client of ['b', 'c', 'd']) await federation.contribute(task, client, filled(1));
    expect([...federation.started.keys()]).toEqual(['demo-v1-a0']);
    await settle(federation.ports, { ...published, evaluation: null });
    expect([...federation.started.keys()]).toEqual(['demo-v1-a0', 'demo-v2-a0']);
    await federation.runRound({ task, version: 2, attempt: 0 });
    expect(federation.started.size).toBe(2);
  });

  test('ends the task at the last round', async () => {
    const federation = new MemoryFederation();
    const task = await federation.start({ task: 'demo', round: { buffer: 1 }, stop: { rounds: 1 } });
    await federation.contribute(task, 'one', filled(1));
    await federation.runStarted();
    expect(await federation.rounds.task(task)).toMatchObject({ state: 'completed', stateReason: 'reached 1 rounds' });
    await expect(federation.upload(task, 'two', filled(1))).rejects.toThrow('task-ended');
  });
});

describe('counted once', () => {
  test('an event that comes three times admits one update', async () => {
    const federation = new MemoryFederation();
    const task = await federation.start({ task: 'demo', round: { buffer: 2 } });
    const arrival = await federation.contribute(task, 'one', filled(1));
    await admitUpdate(federation.ports, federation.layouts, arrival);
    await admitUpdate(federation.ports, federation.layouts, arrival);
    expect((await showTask(federation.ports, task)).updates).toMatchObject({ admitted: 1, buffered: 1 });
  });

  test('a round that dies between publishing and settling does not count its updates again', async () => {
    const federation = new MemoryFederation();
    const task = await federation.start({ task: 'demo', round: { buffer: 2 } });
    for (const client of ['a', 'b']) await federation.contribute(task, client, filled(1));
    const aggregated = await federation.aggregateRound({ task, version: 1, attempt: 0 });
    await publish(federation.ports, aggregated);
    // No settle. Two more updates start the next round, whose freeze must find the first two gone.
    for (const client of ['c', 'd']) await federation.contribute(task, client, filled(10));
    await federation.runRound({ task, version: 2, attempt: 0 });
    expect((await modelOf(federation, task)).values[0]).toBe(11);
    expect((await showTask(federation.ports, task)).updates).toMatchObject({ aggregated: 4, buffered: 0 });
  });

  test('a rollback between publishing and settling does not count updates again', async () => {
    const federation = new MemoryFederation();
    const task = await federation.start({ task: 'demo', round: { buffer: 1 } });
    await federation.contribute(task, 'a', filled(1));
    const aggregated = await federation.aggregateRound({ task, version: 1, attempt: 0 });
    const published = await publish(federation.ports, aggregated);
    expect(await rollback(federation.ports, task, 0)).toBe(2);
    await settle(federation.ports, { ...published, evaluation: null });
    expect((await showTask(federation.ports, task)).updates).toMatchObject({ aggregated: 1, buffered: 0 });
    expect((await modelOf(federation, task)).values[0]).toBe(0);
  });

  test('a released round runs again under the next name, with the same updates and the same bytes', async () => {
    const federation = new MemoryFederation();
    const task = await federation.start({ task: 'demo', round: { buffer: 2 } });
    for (const client of ['a', 'b']) await federation.contribute(task, client, filled(1));
    await freeze(federation.ports, federation.layouts, { task, version: 1, attempt: 0 });
    await release(federation.ports, { task, version: 1, attempt: 0, error: 'Lambda.Unknown', cause: '' });
    expect([...federation.started.keys()]).toEqual(['demo-v1-a0', 'demo-v1-a1']);
    expect(federation.models.uploads.size).toBe(0);
    expect(await federation.runRound({ task, version: 1, attempt: 0 })).toBe('superseded');
    expect(await federation.runRound({ task, version: 1, attempt: 1 })).toBe('published');
    expect((await modelOf(federation, task)).values[0]).toBe(1);
  });

  test('two runs of every step give one version and the same bytes', async () => {
    const federation = new MemoryFederation();
    const task = await federation.start({ task: 'demo', round: { buffer: 1 } });
    await federation.contribute(task, 'a', filled(1));
    const input = { task, version: 1, attempt: 0 };
    const frozen = await freeze(federation.ports, federation.layouts, input);
    expect(await freeze(federation.ports, federation.layouts, input)).toEqual(frozen);
    if (frozen.outcome !== 'frozen') throw new Error(frozen.outcome);
    const { manifestKey } = frozen;
    const parts: Uint8Array[] = [];
    for (let run = 0; run < 2; run++) {
      await aggregateCell(federation.ports, { manifestKey, level: 0, cell: 0 });
      parts.push(...[...federation.models.uploads.values()].flatMap((upload) => [...upload.values()]));
    }
    expect(parts).toHaveLength(2);
    expect(parts[0]).toEqual(parts[1]);
    const published = await publish(federation.ports, { manifestKey });
    expect(await publish(federation.ports, { manifestKey })).toEqual(published);
    for (let run = 0; run < 2; run++) await settle(federation.ports, { ...published, evaluation: null });
    expect(await federation.rounds.versions(task)).toHaveLength(2);
  });

  test('five failures in a row suspend the task', async () => {
    const federation = new MemoryFederation();
    const task = await federation.start({ task: 'demo', round: { buffer: 1 } });
    await federation.contribute(task, 'a', filled(1));
    for (let attempt = 0; attempt < 5; attempt++) {
      await release(federation.ports, { task, version: 1, attempt, error: 'Lambda.Unknown', cause: '' });
    }
    expect((await federation.rounds.task(task))?.state).toBe('suspended');
    expect(federation.started.size).toBe(5);
  });
});

describe('whatever becomes of a round', () => {
  test('a last round that published and did not settle still ends the task', async () => {
    const federation = new MemoryFederation();
    const task = await federation.start({ task: 'demo', round: { buffer: 1 }, stop: { rounds: 1 } });
    await federation.contribute(task, 'a', filled(1));
    await publish(federation.ports, await federation.aggregateRound({ task, version: 1, attempt: 0 }));
    await release(federation.ports, { task, version: 1, attempt: 0, error: 'Lambda.Unknown', cause: '' });
    expect(await federation.rounds.task(task)).toMatchObject({ state: 'completed', settledVersion: 1 });
  });

  test('a task that ends leaves no admitted update unaccounted for, and no ticket open', async () => {
    const federation = new MemoryFederation();
    const task = await federation.start({ task: 'demo', round: { buffer: 1 }, stop: { rounds: 1 } });
    await federation.upload(task, 'still-training', filled(1));
    for (const client of ['a', 'b']) await federation.contribute(task, client, filled(1));
    await federation.runStarted();
    const { updates, quarantine } = await showTask(federation.ports, task);
    expect(updates).toMatchObject({ admitted: 2, aggregated: 1, quarantined: 1, expired: 1, open: 0, buffered: 0 });
    expect(quarantine).toMatchObject([{ client: 'b', reason: 'task-ended' }]);
  });

  test('an update whose bytes are gone ends in quarantine, and the round takes the others', async () => {
    const federation = new MemoryFederation();
    const task = await federation.start({ task: 'demo', round: { buffer: 2 } });
    const { key } = await federation.contribute(task, 'a', filled(1));
    await federation.updates.remove([key]);
    for (const client of ['b', 'c']) await federation.contribute(task, client, filled(3));
    await federation.runStarted();
    expect((await showTask(federation.ports, task)).quarantine).toMatchObject([
      { client: 'a', reason: 'object-missing' },
    ]);
    expect((await modelOf(federation, task)).values[0]).toBe(3);
  });

  test('a model that would hold infinity is not published, and the task is suspended with the reason', async () => {
    const federation = new MemoryFederation();
    const task = await federation.start({
      task: 'demo',
      round: { buffer: 1 },
      serverOptimizer: { kind: 'sgd', learningRate: 1000 },
    });
    await federation.contribute(task, 'a', filled(3e38));
    await expect(federation.aggregateRound({ task, version: 1, attempt: 0 })).rejects.toThrow('model-not-finite');
    await release(federation.ports, { task, version: 1, attempt: 0, error: 'model-not-finite', cause: '' });
    expect(await federation.rounds.task(task)).toMatchObject({ state: 'suspended', version: 0 });
  });

  test('a draft that was stopped starts all the same', async () => {
    const federation = new MemoryFederation();
    const task = await federation.start({ task: 'demo', round: { buffer: 5 } });
    const draft = taskConfigSchema.parse({ task: 'draft' });
    const record = await federation.rounds.task(task);
    const artifacts = record?.artifacts ?? {};
    await createTask(federation.ports, { config: draft, artifacts });
    for (const [key, bytes] of federation.models.objects) {
      if (key.startsWith('tasks/demo/package/')) federation.models.objects.set(key.replace('demo', 'draft'), bytes);
    }
    await stopTask(federation.ports, draft.task);
    await startTask(federation.ports, draft.task);
    expect(await federation.rounds.task(draft.task)).toMatchObject({ state: 'running', version: 0 });
  });
});

describe('linear history', () => {
  test('a rollback is a new version with the old model, and keeps the chain', async () => {
    const federation = new MemoryFederation();
    const task = await federation.start({ task: 'demo', round: { buffer: 1 } });
    for (const client of ['a', 'b']) {
      await federation.contribute(task, client, filled(1));
      await federation.runStarted();
    }
    expect(await rollback(federation.ports, task, 1)).toBe(3);
    const versions = await federation.rounds.versions(task);
    expect(versions.map(({ origin }) => origin.kind)).toEqual(['initial', 'round', 'round', 'rollback']);
    expect((await modelOf(federation, task)).values[0]).toBe(1);
    await expect(rollback(federation.ports, task, 9)).rejects.toThrow('version-unknown');
  });

  test('a round that a rollback overtook does not publish', async () => {
    const federation = new MemoryFederation();
    const task = await federation.start({ task: 'demo', round: { buffer: 1 } });
    await federation.contribute(task, 'a', filled(1));
    const aggregated = await federation.aggregateRound({ task, version: 1, attempt: 0 });
    await rollback(federation.ports, task, 0);
    const late = publish(federation.ports, aggregated);
    await expect(late).rejects.toThrow('round-superseded');
  });

  test('a stopped task gives no tickets', async () => {
    const federation = new MemoryFederation();
    const task = await federation.start({ task: 'demo' });
    await stopTask(federation.ports, task);
    await expect(federation.upload(task, 'a', filled(1))).rejects.toThrow('task-ended');
  });
});
