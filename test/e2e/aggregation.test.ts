import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseSafetensors } from '../../shared/wire/safetensors.ts';
import type { TaskConfigInput } from '../../shared/wire/task-config.ts';
import {
  contribute,
  createSmallTask,
  freshAssembly,
  type RunningFederation,
  startFederation,
} from './small-federation.ts';

let federation: RunningFederation;
beforeAll(async () => {
  federation = await startFederation(await freshAssembly());
}, 120_000);
afterAll(() => federation?.close());

async function modelOf(task: string): Promise<Float32Array> {
  const { version } = await federation.api.task(task);
  const { modelUrl } = await federation.api.version(task, version);
  return parseSafetensors(await federation.api.get(modelUrl ?? '')).values;
}

/** One round of six honest clients about +0.1 and one liar. @returns how far the model moved, on average */
async function roundOf(task: string, more: Partial<TaskConfigInput>, root = false) {
  const round = { buffer: 7, minimum: 7 };
  await createSmallTask(federation.api, { task, round, weighting: 'uniform', ...more }, { root });
  const before = await modelOf(task);
  for (let i = 0; i < 6; i++) {
    await contribute(federation, task, `honest-${i}`, (at) => 0.1 + 0.01 * Math.sin(7 * i + at));
  }
  await contribute(federation, task, 'liar', () => -30);
  await federation.cloud.idle();
  const after = await modelOf(task);
  const shown = await federation.api.task(task);
  expect(shown.version).toBe(1);
  expect(shown.updates).toMatchObject({ admitted: 7, buffered: 0, open: 0 });
  return { moved: after.reduce((sum, value, i) => sum + value - before[i], 0) / after.length, shown };
}

describe('through the functions, roles and state machine of the template', () => {
  test('a liar moves the mean, and nothing else', async () => {
    expect((await roundOf('mean', {})).moved).toBeCloseTo((6 * 0.1 - 30) / 7, 1);
  }, 60_000);

  test.each<[string, Partial<TaskConfigInput>]>([
    ['measured', { aggregation: { rules: [{ kind: 'nearest-neighbour-mixing' }, { kind: 'krum' }] } }],
    ['coordinate', { aggregation: { rules: [{ kind: 'median' }] } }],
    ['losses', { aggregation: { rules: [{ kind: 'zeno', suspects: 1, rho: 0.001 }] } }],
  ])(
    'rules of the kind "%s" see to it',
    async (kind, more) => {
      const { moved } = await roundOf(`rules-${kind}`, more);
      expect(moved).toBeGreaterThan(0.05);
      expect(moved).toBeLessThan(0.15);
    },
    60_000,
  );

  test("the server's own update judges those of the clients", async () => {
    const rules = [{ kind: 'zeno-plus-plus', epsilon: 0 } as const];
    const { moved, shown } = await roundOf('root', { aggregation: { rules } }, true);
    // The labels are random, so that nobody is right; the liar points away from the server's own update.
    expect(Math.abs(moved)).toBeLessThan(1);
    expect(shown.quarantine.map(({ client }) => client)).toContain('liar');
    expect(shown.quarantine[0].reason).toBe('rejected');
  }, 60_000);

  test('a rule without what it needs is refused when the task is created, with the reason', async () => {
    const config: TaskConfigInput = { task: 'bad', aggregation: { rules: [{ kind: 'fltrust' }] } };
    await expect(createSmallTask(federation.api, config)).rejects.toThrow('no root.safetensors');
    const krum: TaskConfigInput = { task: 'bad', round: { buffer: 2 }, aggregation: { rules: [{ kind: 'krum' }] } };
    await expect(createSmallTask(federation.api, krum)).rejects.toThrow(/krum: needs 3 rows/);
  });

  test('encoded updates and versions as differences give every client the very model of the server', async () => {
    const task = 'codecs';
    const size = await createSmallTask(federation.api, {
      task,
      round: { buffer: 1 },
      codecs: { upload: { kind: 'int8', compress: 'zstd' }, download: { kind: 'int8' } },
    });
    const client = await federation.client('steady');
    let wanted = await modelOf(task);
    const bytes: number[] = [];
    for (let round = 0; round < 4; round++) {
      await client.participate(task, {
        maxUpdates: 1,
        onEvent: (event) => event.kind === 'downloaded' && bytes.push(event.bytes),
        train: async ({ params }) => {
          expect(params.values).toEqual(wanted);
          return { params: params.values.map((value, i) => value + Math.sin(i + round)), examples: 5 };
        },
      });
      await federation.cloud.idle();
      const next = await modelOf(task);
      for (let i = 0; i < size; i++) expect(Math.abs(next[i] - wanted[i] - Math.sin(i + round))).toBeLessThan(0.05);
      wanted = next;
    }
    // The first download is the model and the package; later ones are differences of a byte a parameter and a header.
    expect(Math.max(...bytes.slice(1))).toBeLessThan(bytes[0]);
  }, 60_000);

  test('Adam on the server and cached updates keep their state from version to version', async () => {
    for (const [task, more] of [
      ['adam', { serverOptimizer: { kind: 'fed-adam' } }],
      ['ca2fl', { method: { kind: 'ca2fl' } }],
    ] as const) {
      await createSmallTask(federation.api, { task, round: { buffer: 2 }, ...more });
      for (let round = 0; round < 3; round++) {
        for (const name of ['a', 'b']) await contribute(federation, task, name, () => 0.1);
        await federation.cloud.idle();
      }
      const { version, updates } = await federation.api.task(task);
      expect(version).toBe(3);
      expect(updates).toMatchObject({ aggregated: 6, quarantined: 0, buffered: 0 });
    }
  }, 60_000);

  test('no function was refused anything that it asked for', () => {
    expect(federation.lines.filter((line) => /denied/i.test(line))).toEqual([]);
  });
});
