import { describe, expect, test } from 'vitest';
import type { AsyncRound } from '../../../../shared/core/asynchronous/async-plan.ts';
import { type AsyncMethodConfig, planAsync } from '../../../../shared/core/asynchronous/registry.ts';
import { randomFrom } from '../../../../shared/core/random.ts';
import { plus, runPlan, type Stored, times, type Vector } from './run-plan.ts';

const stalenessRule = { kind: 'constant' } as const;
const round = (partial: Partial<AsyncRound>): AsyncRound => ({
  version: 9,
  members: [{ client: 'a', staleness: 0, arrival: 0, weight: 1 }],
  cached: new Map(),
  stalenessRule,
  ...partial,
});

describe('plans by hand', () => {
  test('FedAsync pulls a stale client back towards the model that it trained from', () => {
    const members = [{ client: 'a', staleness: 2, arrival: 0, weight: 1 }];
    expect(planAsync({ kind: 'fedasync', mixing: 0.25 }, round({ members }))).toEqual({
      weights: [1],
      references: [
        { kind: 'model', version: 7, weight: 1 },
        { kind: 'model', version: 9, weight: -1 },
      ],
      stepScale: 0.25,
      keepsCache: false,
    });
  });

  test('ACED takes the update that is too old out of the sum in the version in which it becomes so', () => {
    const plan = planAsync(
      { kind: 'aced', delayLimit: 3 },
      round({
        cached: new Map([
          ['old', 6],
          ['older', 5],
          ['new', 8],
        ]),
      }),
    );
    // Versions ago in version 10: 4, 5 and 2. The older one left the sum a version before.
    expect(plan.references).toEqual([{ kind: 'cached', client: 'old', weight: -1 }]);
    expect(plan.calibration).toEqual({ direction: { state: 1 / 2, sum: 1 / 2 }, next: { state: 1, sum: 1 } });
  });

  test('ACED takes an update that becomes too old out once, if its client sends another', () => {
    const plan = planAsync({ kind: 'aced', delayLimit: 3 }, round({ cached: new Map([['a', 6]]) }));
    expect(plan.references).toEqual([{ kind: 'cached', client: 'a', weight: -1 }]);
    expect(plan.calibration?.direction).toEqual({ state: 1, sum: 1 });
  });

  test.each([
    { arrivals: [0, 1, 2], weights: [0, 0.5, 0.5] },
    { arrivals: [2, 1, 0], weights: [0.5, 0.5, 0] },
  ])('of two updates of one client in a round only the one that arrived later counts', ({ arrivals, weights }) => {
    const members = ['a', 'b', 'a'].map((client, i) => ({
      client,
      staleness: 0,
      arrival: arrivals[i],
      weight: 1 / 3,
    }));
    for (const kind of ['ca2fl', 'ace'] as const) {
      const plan = planAsync({ kind }, round({ members, cached: new Map([['a', 8]]) }));
      expect(plan.weights).toEqual(weights);
      expect(plan.references).toEqual([{ kind: 'cached', client: 'a', weight: -0.5 }]);
    }
  });

  test('FedAsync gives a single update all the weight, whatever the rounding', () => {
    const rule = { kind: 'polynomial', exponent: 0.5 } as const;
    for (let staleness = 0; staleness <= 200; staleness++) {
      const members = [{ client: 'a', staleness, arrival: 0, weight: 1 }];
      const plan = planAsync({ kind: 'fedasync', mixing: 0.6 }, round({ version: 300, members, stalenessRule: rule }));
      expect(plan.weights).toEqual([1]);
      expect(plan.stepScale).toBe(0.6 * (1 + staleness) ** -0.5);
    }
  });

  test('a delay threshold shortens the step of a round with a staler update', () => {
    const members = [
      { client: 'a', staleness: 0, arrival: 0, weight: 0.5 },
      { client: 'b', staleness: 10, arrival: 1, weight: 0.5 },
    ];
    expect(planAsync({ kind: 'fedbuff', delayThreshold: 5 }, round({ members })).stepScale).toBe(0.5);
    expect(planAsync({ kind: 'fedbuff', delayThreshold: 10 }, round({ members })).stepScale).toBe(1);
    const stale = [{ client: 'b', staleness: 10, arrival: 0, weight: 1 }];
    expect(planAsync({ kind: 'fedasync', mixing: 0.5, delayThreshold: 5 }, round({ members: stale })).stepScale).toBe(
      0.25,
    );
  });

  test('refuses a round without updates and settings out of range', () => {
    expect(() => planAsync({ kind: 'ace' }, round({ members: [] }))).toThrow(RangeError);
    expect(() => planAsync({ kind: 'aced', delayLimit: 0 }, round({}))).toThrow(RangeError);
    expect(() => planAsync({ kind: 'fedasync', mixing: 0 }, round({}))).toThrow(RangeError);
  });
});

describe('ten clients with optima of their own, two of which are ten times as fast as the others', () => {
  const clients = 10;
  const rate = 0.1;
  const optima = Array.from({ length: clients }, (_, c) => [c < 2 ? 5 : -1, c % 2]);
  const mean = times(1 / clients, optima.reduce<Vector>(plus, [0, 0]));

  /** Distance from the mean of the optima, averaged over the last hundred versions. */
  function bias(method: AsyncMethodConfig, perRound: number): number {
    const random = randomFrom('speeds');
    const busy = optima.map((_, c) => ({ client: c, base: 0, until: random.next() * (c < 2 ? 1 : 10) }));
    let stored: Stored = { versions: [[0, 0]], cached: new Map(), state: [0, 0] };
    for (let version = 0; version < 1500; version++) {
      const come = busy.toSorted((a, b) => a.until - b.until).slice(0, perRound);
      const updates = come.map(({ client, base }) => ({
        client: String(client),
        update: times(rate, plus(optima[client], times(-1, stored.versions[base]))),
      }));
      const members = come.map(({ client, base }, arrival) => ({
        client: String(client),
        staleness: version - base,
        arrival,
        weight: 1 / perRound,
      }));
      const cached = new Map([...stored.cached].map(([client, kept]) => [client, kept.version]));
      stored = runPlan(planAsync(method, { version, members, cached, stalenessRule }), updates, stored);
      for (const each of come) {
        each.base = version + 1;
        each.until += (each.client < 2 ? 1 : 10) * (0.5 + random.next());
      }
    }
    const last = stored.versions.slice(-100);
    const average = times(1 / last.length, last.reduce<Vector>(plus, [0, 0]));
    return Math.hypot(average[0] - mean[0], average[1] - mean[1]);
  }

  test('FedBuff ends near the fast ones, CA2FL and ACE near the mean of all', () => {
    const fedbuff = bias({ kind: 'fedbuff' }, 3);
    expect(fedbuff).toBeGreaterThan(2);
    expect(bias({ kind: 'ca2fl' }, 3)).toBeLessThan(0.1 * fedbuff);
    expect(bias({ kind: 'ace' }, 3)).toBeLessThan(0.05 * fedbuff);
    expect(bias({ kind: 'aced', delayLimit: 200 }, 3)).toBeLessThan(0.05 * fedbuff);
  });

  test('FedAsync, one update a version, ends near the fast ones too', () => {
    expect(bias({ kind: 'fedasync', mixing: 0.5 }, 1)).toBeGreaterThan(2);
  });
});
