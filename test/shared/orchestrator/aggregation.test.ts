import { describe, expect, test } from 'vitest';
import type { TaskId } from '../../../shared/core/names.ts';
import { layoutOf } from '../../../shared/core/params.ts';
import { randomFrom } from '../../../shared/core/random.ts';
import { release } from '../../../shared/orchestrator/release.ts';
import { showTask } from '../../../shared/orchestrator/show-task.ts';
import { rollback } from '../../../shared/orchestrator/task-lifecycle.ts';
import type { CodecInput } from '../../../shared/wire/codec-config.ts';
import { parseSafetensors } from '../../../shared/wire/safetensors.ts';
import type { TaskConfigInput } from '../../../shared/wire/task-config.ts';
import { MemoryFederation } from '../../memory/federation.ts';

const size = 40;
const layout = layoutOf([{ name: 'w', shape: [5, 8] }]);

async function modelOf(federation: MemoryFederation, task: TaskId): Promise<Float32Array> {
  const record = await federation.rounds.task(task);
  return parseSafetensors(federation.models.objects.get(record?.model?.key ?? '') ?? new Uint8Array()).values;
}

/** Honest updates about one, each with its own small deviation. */
function honest(client: number): Float32Array {
  const random = randomFrom(`honest ${client}`);
  return Float32Array.from({ length: size }, () => 1 + 0.1 * random.normal());
}

const hostile = () => new Float32Array(size).fill(-50);

/** One round of eight honest clients and two that lie. @returns the published model's mean value */
async function roundWith(rules: NonNullable<TaskConfigInput['aggregation']>['rules']) {
  const federation = new MemoryFederation(layout);
  const config: TaskConfigInput = { task: 'demo', round: { buffer: 10, minimum: 10 }, aggregation: { rules } };
  const task = await federation.start(config, undefined, ['held-out.safetensors', 'root.safetensors']);
  federation.target = 1;
  for (let i = 0; i < 8; i++) await federation.contribute(task, `honest-${i}`, honest(i));
  for (let i = 0; i < 2; i++) await federation.contribute(task, `liar-${i}`, hostile());
  await federation.runStarted();
  const values = await modelOf(federation, task);
  return { federation, task, mean: values.reduce((sum, value) => sum + value, 0) / size };
}

describe('two liars in ten', () => {
  test('ruin the plain mean', async () => {
    expect((await roundWith([])).mean).toBeCloseTo((8 * 1 - 2 * 50) / 10, 0);
  });

  test.each([
    ['krum', [{ kind: 'krum' }]],
    ['multi-krum', [{ kind: 'multi-krum' }]],
    ['bulyan', [{ kind: 'bulyan', attackers: 1 }]],
    ['the median', [{ kind: 'median' }]],
    ['the trimmed mean', [{ kind: 'trimmed-mean' }]],
    ['the geometric median', [{ kind: 'geometric-median' }]],
    ['nearest-neighbour mixing before the median', [{ kind: 'nearest-neighbour-mixing' }, { kind: 'median' }]],
    ['nearest-neighbour mixing before krum', [{ kind: 'nearest-neighbour-mixing' }, { kind: 'krum' }]],
    ['FLTrust', [{ kind: 'fltrust' }]],
    ['Zeno', [{ kind: 'zeno', suspects: 2 }]],
    ['Zeno++', [{ kind: 'zeno-plus-plus' }]],
  ] as const)('do nothing to %s', async (_, rules) => {
    const { mean, federation, task } = await roundWith([...rules]);
    expect(mean).toBeGreaterThan(0.8);
    expect(mean).toBeLessThan(1.2);
    const { updates } = await showTask(federation.ports, task);
    expect(updates.aggregated + updates.quarantined).toBe(10);
    expect(updates.buffered).toBe(0);
  });

  test('do not see the server train less than a client: its one root example as often as theirs of ten would be', async () => {
    const { federation } = await roundWith([{ kind: 'fltrust' }]);
    expect(federation.rootEpochs).toEqual([10]);
  });

  test('that a rule rejects go to quarantine with its reason, and their bytes stay as evidence', async () => {
    const { federation, task } = await roundWith([{ kind: 'zeno', suspects: 2 }]);
    const { quarantine, latest, updates } = await showTask(federation.ports, task);
    expect(quarantine.map(({ client, reason }) => [client, reason]).sort()).toEqual([
      ['liar-0', 'rejected'],
      ['liar-1', 'rejected'],
    ]);
    expect(latest).toMatchObject({ updates: 8, rejected: 2, examples: 80 });
    expect(updates).toMatchObject({ admitted: 10, aggregated: 8, quarantined: 2, buffered: 0 });
    expect(federation.updates.objects.size).toBe(2);
  });

  test('that leave a rule too few updates are put aside, and the round waits for others', async () => {
    const federation = new MemoryFederation(layout);
    const rules = [
      { kind: 'zeno', suspects: 2 },
      { kind: 'krum', attackers: 1 },
    ] as const;
    // Krum needs five rows, and Zeno takes two away: the check at creation does not count rejections.
    const config: TaskConfigInput = {
      task: 'demo',
      round: { buffer: 5, minimum: 5 },
      aggregation: { rules: [...rules] },
    };
    const task = await federation.start(config, undefined, ['held-out.safetensors']);
    federation.target = 1;
    for (let i = 0; i < 3; i++) await federation.contribute(task, `honest-${i}`, honest(i));
    for (let i = 0; i < 2; i++) await federation.contribute(task, `liar-${i}`, hostile());
    const [input] = [...federation.started.values()];
    await expect(federation.runRound(input)).rejects.toThrow('cohort-too-small');
    for (let run = 0; run < 2; run++) {
      await release(federation.ports, { ...input, error: 'cohort-too-small', cause: '' });
    }
    const { updates, quarantine, state } = await showTask(federation.ports, task);
    expect(state).toBe('running');
    expect(quarantine.map(({ client }) => client).sort()).toEqual(['liar-0', 'liar-1']);
    expect(updates).toMatchObject({ admitted: 5, quarantined: 2, buffered: 3 });
    expect((await federation.rounds.task(task))?.failures).toBe(0);
  });

  test('are measured and judged alike however often the steps run', async () => {
    const first = await roundWith([{ kind: 'nearest-neighbour-mixing' }, { kind: 'krum' }]);
    const second = await roundWith([{ kind: 'nearest-neighbour-mixing' }, { kind: 'krum' }]);
    expect(await modelOf(first.federation, first.task)).toEqual(await modelOf(second.federation, second.task));
  });

  test('leave nothing behind in the bucket but what a version needs', async () => {
    const { federation } = await roundWith([{ kind: 'fltrust' }]);
    const left = [...federation.models.objects.keys()].filter((key) => key.includes('/rounds/')).sort();
    expect(left.map((key) => key.split('/').at(-1))).toEqual([
      'manifest.json',
      'model.safetensors',
      'rule-state.json',
      'verdict.json',
    ]);
  });
});

describe('updates in several codecs', () => {
  const codecs: CodecInput[] = [
    { kind: 'float32' },
    { kind: 'fp16' },
    { kind: 'int8', compress: 'zstd' },
    { kind: 'int4', rotate: true },
    { kind: 'top-k', fraction: 1, compress: 'deflate' },
    { kind: 'low-rank', rank: 5 },
    { kind: 'mask', fraction: 0, compress: 'brotli' },
  ];

  test('mix in one round, close to the mean of what was meant', async () => {
    const federation = new MemoryFederation(layout);
    const task = await federation.start({ task: 'demo', round: { buffer: codecs.length } });
    for (const [i, codec] of codecs.entries()) await federation.contribute(task, `client-${i}`, honest(i), { codec });
    await federation.runStarted();
    const model = await modelOf(federation, task);
    for (let j = 0; j < size; j++) {
      const wanted = codecs.reduce((sum, _, i) => sum + honest(i)[j], 0) / codecs.length;
      expect(Math.abs(model[j] - wanted)).toBeLessThan(0.15);
    }
  });

  test('are refused before the upload where the task does not take them', async () => {
    const federation = new MemoryFederation(layout);
    const task = await federation.start({ task: 'demo', codecs: { accept: ['int8'] } });
    await expect(federation.upload(task, 'a', honest(0), { codec: { kind: 'sign' } })).rejects.toThrow('codec-refused');
    await federation.upload(task, 'b', honest(0), { codec: { kind: 'int8' } });
  });

  test.each(codecs.slice(1))('go to quarantine where $kind has been tampered with', async (codec) => {
    const federation = new MemoryFederation(layout);
    const task = await federation.start({ task: 'demo', round: { buffer: 1 } });
    const good = await federation.upload(task, 'good', honest(0), { codec });
    const bytes = federation.updates.objects.get(good.key)?.slice() ?? new Uint8Array();
    const other = new MemoryFederation(layout);
    const otherTask = await other.start({ task: 'demo', round: { buffer: 1 } });
    // Another ticket, so that the header itself is right; then the last byte of the frames is cut off.
    await other.contribute(otherTask, 'good', honest(0), { codec, bytes: bytes.slice(0, -1) });
    expect((await showTask(other.ports, otherTask)).updates).toMatchObject({ quarantined: 1, admitted: 0 });
  });
});

describe('a round that no function could do alone', () => {
  const large = layoutOf([{ name: 'w', shape: [3 * 2 ** 20] }]);
  const values = (i: number) => Float32Array.from({ length: large.size }, (_, j) => Math.fround(Math.sin(i + j)));

  /** Publishes one round under a plan of these levels and tiles. */
  async function publishUnder(tiles: number, levels: number[]): Promise<Float32Array> {
    const federation = new MemoryFederation(large);
    federation.planned = { tiles, levels };
    const task = await federation.start({ task: 'demo', round: { buffer: 6 } });
    for (let i = 0; i < 6; i++) await federation.contribute(task, `client-${i}`, values(i), { examples: i + 1 });
    await federation.runStarted();
    return modelOf(federation, task);
  }

  test('gives the same bytes in ranges, and in a grid what float32 sums may differ by', async () => {
    const single = await publishUnder(1, [1]);
    expect(await publishUnder(2, [1])).toEqual(single);
    const grid = await publishUnder(2, [3, 2, 1]);
    expect(await publishUnder(2, [3, 2, 1])).toEqual(grid);
    let worst = 0;
    for (let j = 0; j < single.length; j++) worst = Math.max(worst, Math.abs(grid[j] - single[j]));
    // Twelve roundings of sums of six terms below one in magnitude whose weights make one.
    expect(worst).toBeLessThan(12 * 2 ** -24);
    expect(worst).toBeGreaterThan(0);
  }, 60_000);
});

describe('running statistics', () => {
  const withVariance = layoutOf([
    { name: 'bn.var', shape: [4] },
    { name: 'w', shape: [36] },
  ]);
  /** A client whose data have this variance: the difference to what it started from. */
  const towards = (variance: number, base: number) =>
    Float32Array.from({ length: size }, (_, i) => (i < 4 ? variance - base : 0.25));

  test('move to what the clients have now, where steps by stale differences would make a variance negative', async () => {
    const federation = new MemoryFederation(withVariance);
    const initial = Float32Array.from({ length: size }, (_, i) => (i < 4 ? 1 : 0));
    const config: TaskConfigInput = {
      task: 'demo',
      round: { buffer: 2 },
      staleness: { kind: 'constant' },
      statistics: { variances: ['bn.var'] },
      serverOptimizer: { kind: 'sgd', learningRate: 2 },
    };
    const task = await federation.start(config, initial);
    // Four clients start from the initial model, whose variance is one; theirs is 0.1. Two come a version late.
    const late = [];
    for (const client of ['c', 'd']) late.push(await federation.upload(task, client, towards(0.1, 1)));
    for (const client of ['a', 'b']) await federation.contribute(task, client, towards(0.1, 1));
    await federation.runStarted();
    expect((await modelOf(federation, task))[0]).toBeCloseTo(0.1, 6);
    for (const arrival of late) await federation.admit(arrival);
    await federation.runStarted();
    const model = await modelOf(federation, task);
    expect(model[0]).toBeCloseTo(0.1, 6); // By differences alone it would be 1 + 2 (-0.9) - 2 (0.9).
    expect(model[10]).toBe(1); // Parameters step by differences, times the learning rate: 2 * 0.25 twice.
  });

  test.each<[Partial<TaskConfigInput>, string]>([
    [{ method: { kind: 'ace' } }, 'ace adds old updates up'],
    [{ codecs: { download: { kind: 'int8' } } }, 'int8 could make a running variance negative'],
  ])('are refused where %j would ruin them', async (more, message) => {
    const federation = new MemoryFederation(withVariance);
    const config = { task: 'demo', statistics: { variances: ['bn.var'] }, ...more };
    await expect(federation.start(config)).rejects.toThrow(message);
  });
});

describe('asynchronous methods', () => {
  test('FedAsync mixes the model that the client made into the global one', async () => {
    const federation = new MemoryFederation(layout);
    const task = await federation.start({
      task: 'demo',
      round: { buffer: 1 },
      method: { kind: 'fedasync', mixing: 0.5 },
      staleness: { kind: 'constant' },
    });
    const late = await federation.upload(task, 'late', new Float32Array(size).fill(4));
    await federation.contribute(task, 'first', new Float32Array(size).fill(2));
    await federation.runStarted();
    expect((await modelOf(federation, task))[0]).toBe(1); // 0 + 0.5 * (0 + 2 - 0)
    await federation.admit(late);
    await federation.runStarted();
    expect((await modelOf(federation, task))[0]).toBe(2.5); // 1 + 0.5 * (0 + 4 - 1)
  });

  test('CA2FL calibrates by the latest update of every client, and keeps no other', async () => {
    const federation = new MemoryFederation(layout);
    const task = await federation.start({ task: 'demo', round: { buffer: 1 }, method: { kind: 'ca2fl' } });
    const contribute = async (client: string, value: number) => {
      await federation.contribute(task, client, new Float32Array(size).fill(value));
      await federation.runStarted();
      return (await modelOf(federation, task))[0];
    };
    expect(await contribute('a', 1)).toBeCloseTo(1, 5); // h = 0, v = 1
    expect(await contribute('b', 3)).toBeCloseTo(1 + (0.5 + 3), 5); // h = (1 + 0) / 2: two clients are known now
    expect(await contribute('a', 2)).toBeCloseTo(4.5 + (2 + 1), 5); // h = (1 + 3) / 2, v = h + 2 - 1
    expect(federation.updates.objects.size).toBe(2);
  });

  test('of two updates of a client in a round CA2FL keeps the one that arrived later', async () => {
    const federation = new MemoryFederation(layout);
    const task = await federation.start({ task: 'demo', round: { buffer: 8 }, method: { kind: 'ca2fl' } });
    const keys: string[] = [];
    for (const value of [1, 2]) {
      for (const [i, client] of ['a', 'b', 'c', 'd'].entries()) {
        federation.nowMs += 1;
        const update = new Float32Array(size).fill(value * 10 ** i);
        keys.push((await federation.contribute(task, client, update)).key);
      }
    }
    await federation.runStarted();
    expect((await modelOf(federation, task))[0]).toBeCloseTo(2222 / 4, 3);
    expect([...federation.updates.objects.keys()].sort()).toEqual(keys.slice(4).sort());
  });

  test.each([
    [
      'a rollback',
      async (federation: MemoryFederation, task: TaskId) => void (await rollback(federation.ports, task, 0)),
    ],
    [
      'the loss of one',
      async ({ updates }: MemoryFederation) => updates.remove([...updates.objects.keys()].slice(0, 1)),
    ],
  ])('CA2FL deletes the updates that %s makes it forget', async (_, lose) => {
    const federation = new MemoryFederation(layout);
    const task = await federation.start({ task: 'demo', round: { buffer: 1 }, method: { kind: 'ca2fl' } });
    const contribute = async (client: string) => {
      const { key } = await federation.contribute(task, client, new Float32Array(size).fill(1));
      await federation.runStarted();
      return key;
    };
    for (const client of ['a', 'b', 'c']) await contribute(client);
    expect(federation.updates.objects.size).toBe(3);
    await lose(federation, task);
    const newest = await contribute('a');
    expect([...federation.updates.objects.keys()]).toEqual([newest]);
  });

  test('ACE steps by the mean of the latest updates of all clients', async () => {
    const federation = new MemoryFederation(layout);
    const task = await federation.start({ task: 'demo', round: { buffer: 1 }, method: { kind: 'ace' } });
    let expected = 0;
    const latest = new Map<string, number>();
    for (const [client, value] of [
      ['a', 1],
      ['b', 3],
      ['a', 2],
      ['a', 5],
      ['b', -1],
    ] as const) {
      latest.set(client, value);
      await federation.contribute(task, client, new Float32Array(size).fill(value));
      await federation.runStarted();
      expected += [...latest.values()].reduce((sum, update) => sum + update, 0) / latest.size;
      expect((await modelOf(federation, task))[0]).toBeCloseTo(expected, 4);
    }
  });
});

describe('a server optimizer', () => {
  const adam = { kind: 'fed-adam', learningRate: 0.1, beta1: 0.9, beta2: 0.99, adaptivity: 0.001 } as const;

  test('keeps its state with the version, and a rollback brings both back', async () => {
    const federation = new MemoryFederation(layout);
    const task = await federation.start({ task: 'demo', round: { buffer: 1 }, serverOptimizer: adam });
    const step = async () => {
      await federation.contribute(task, 'a', new Float32Array(size).fill(0.5));
      await federation.runStarted();
      return (await modelOf(federation, task))[0];
    };
    const first = await step();
    const second = await step();
    await step();
    await rollback(federation.ports, task, 1);
    expect((await modelOf(federation, task))[0]).toBe(first);
    expect(await step()).toBe(second);
    // By hand, Reddi et al. 2021, algorithm 2, with v_0 = tau^2.
    const v = 0.99 * 0.001 ** 2 + 0.01 * 0.25;
    expect(first).toBeCloseTo((0.1 * 0.1 * 0.5) / (Math.sqrt(v) + 0.001), 6);
  });
});
