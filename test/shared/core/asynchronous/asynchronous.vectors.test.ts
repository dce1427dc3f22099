import { expect, test } from 'vitest';
import { type AsyncMethodConfig, planAsync } from '../../../../shared/core/asynchronous/registry.ts';
import { stalenessWeight } from '../../../../shared/core/staleness/staleness.ts';
import vectors from '../../../vectors/asynchronous.json' with { type: 'json' };
import { runPlan, type Stored } from './run-plan.ts';

const stalenessRule = { kind: 'polynomial', exponent: 0.5 } as const;
const methods: readonly (AsyncMethodConfig & { kind: keyof typeof vectors.versions })[] = [
  { kind: 'fedbuff' },
  { kind: 'fedasync', mixing: 0.6 },
  { kind: 'ca2fl' },
  { kind: 'ace' },
  { kind: 'aced', delayLimit: 3 },
];

test.each(methods)('$kind makes the versions of the paper’s recursion', (method) => {
  let stored: Stored = { versions: [vectors.start], cached: new Map(), state: vectors.start.map(() => 0) };
  for (const [version, schedule] of vectors.schedule.entries()) {
    const raw = schedule.map(({ staleness }) => stalenessWeight(stalenessRule, staleness));
    const total = raw.reduce((sum, weight) => sum + weight, 0);
    const members = schedule.map(({ client, staleness }, i) => ({
      client: String(client),
      staleness,
      arrival: i,
      weight: raw[i] / total,
    }));
    const updates = schedule.map(({ client, staleness }) => {
      const base = stored.versions[version - staleness];
      const { optima, curvatures } = vectors;
      return {
        client: String(client),
        update: base.map((value, p) => curvatures[client][p] * (optima[client][p] - value)),
      };
    });
    const cached = new Map([...stored.cached].map(([client, { version }]) => [client, version]));
    const plan = planAsync(method, { version, members, cached, clients: vectors.optima.length, stalenessRule });
    expect(plan.weights.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 12);
    stored = runPlan(plan, updates, stored);
    const expected = vectors.versions[method.kind][version];
    stored.versions[version + 1].forEach((value, p) => {
      expect(value).toBeCloseTo(expected[p], 10);
    });
  }
});
