import { describe, expect, test } from 'vitest';
import type { Judged } from '../../../../shared/core/aggregator/cohort.ts';
import { autoencoder } from '../../../../shared/core/anomaly/autoencoder-rule.ts';
import { isolationForest } from '../../../../shared/core/anomaly/isolation-forest-rule.ts';
import type { OutlierState } from '../../../../shared/core/anomaly/outlier-rule.ts';
import { type Attack, type Attacked, attackedRound, auroc, type Scene } from './attack.ts';

const common = { coordinates: 0, root: false, losses: false, window: 256, warmUp: 8 };
const forestConfig = {
  ...common,
  threshold: { kind: 'contamination', fraction: 0.2 } as const,
  trees: 100,
  subsample: 32,
};
const coderConfig = {
  ...common,
  threshold: { kind: 'robust-z', limit: 3 } as const,
  hidden: 8,
  bottleneck: 2,
  epochs: 40,
  learningRate: 0.01,
};

type Judge = (state: OutlierState, round: Attacked) => Judged<OutlierState>;
const judges: Readonly<Record<string, Judge>> = {
  'isolation-forest': (state, { cohort, context }) => isolationForest.apply(forestConfig, state, cohort, context),
  autoencoder: (state, { cohort, context }) => autoencoder.apply(coderConfig, state, cohort, context),
};

/** Rounds one after the other, the state through JSON as it is stored. */
function play(name: string, scene: Scene, rounds: number, seed: string) {
  let state: OutlierState = { window: [], reference: null, owed: 0 };
  const areas: number[] = [];
  const found = { attackers: 0, rejectedAttackers: 0, honest: 0, rejectedHonest: 0 };
  for (let r = 0; r < rounds; r++) {
    const round = attackedRound(scene, `${seed}/${r}`);
    const judged = judges[name](state, round);
    state = JSON.parse(JSON.stringify(judged.state));
    areas.push(auroc(judged.scores?.[name] ?? [], round.evil));
    const rejected = new Set(judged.rejected.map(({ update }) => update));
    round.evil.forEach((evil, i) => {
      found[evil ? 'attackers' : 'honest']++;
      if (rejected.has(i)) found[evil ? 'rejectedAttackers' : 'rejectedHonest']++;
    });
  }
  return { area: areas.reduce((sum, area) => sum + area, 0) / areas.length, found, state };
}

const scenes = (['scaled', 'noise'] as const).flatMap((attack: Attack) =>
  [0.1, 1].map((alpha) => ({ attack, alpha, honest: 40, attackers: 10, sketchLength: 64 })),
);

describe.each(scenes)('$attackers of 50 with $attack updates, honest ones Dirichlet($alpha)', (scene) => {
  test('the autoencoder has an AUROC of 0.95 or more, rejects most attackers and few others', () => {
    const { area, found } = play('autoencoder', scene, 6, 'seed');
    expect(area).toBeGreaterThan(0.95);
    expect(found.rejectedAttackers / found.attackers).toBeGreaterThan(0.7);
    expect(found.rejectedHonest / found.honest).toBeLessThan(0.12);
  });

  test('the isolation forest has an AUROC of 0.95 or more and rejects mostly attackers', () => {
    const { area, found } = play('isolation-forest', scene, 6, 'seed');
    expect(area).toBeGreaterThan(0.95);
    expect(found.rejectedAttackers / found.attackers).toBeGreaterThan(0.8);
    expect(found.rejectedHonest / found.honest).toBeLessThan(0.06);
  });
});

describe.each(Object.keys(judges))('%s', (name) => {
  const scene: Scene = { attack: 'scaled', alpha: 1, honest: 12, attackers: 3, sketchLength: 32 };

  test('gives the same verdict for the same round, and keeps no more than its window', () => {
    const first = play(name, scene, 24, 'again');
    expect(first).toEqual(play(name, scene, 24, 'again'));
    expect(first.state.window.length).toBe(256);
  });

  test('accepts everything while it has seen too little', () => {
    const round = attackedRound({ ...scene, honest: 5, attackers: 1 }, 'young');
    const judged = judges[name]({ window: [], reference: null, owed: 0 }, round);
    expect(judged.rejected).toEqual([]);
    expect(judged.state.window.length).toBe(6);
  });

  test('judges a single update by what it remembers', () => {
    const { state } = play(name, { ...scene, attackers: 0 }, 6, 'alone');
    const lone = (seed: string, factor: number) => {
      const { cohort, context } = attackedRound({ ...scene, honest: 1, attackers: 0 }, seed);
      const sketches = context.sketches?.map((sketch) => sketch.map((value) => factor * value));
      const scaled = { rows: cohort.rows, gram: cohort.gram.map((product) => factor ** 2 * product) };
      const judged = judges[name](state, { vectors: [], evil: [], cohort: scaled, context: { ...context, sketches } });
      return judged.scores?.[name][0] ?? Number.NaN;
    };
    expect(lone('alone/7', 10)).toBeGreaterThan(lone('alone/7', 1));
    expect(lone('alone/8', 10)).toBeGreaterThan(lone('alone/8', 1));
  });

  test('drops remembered observations of another configuration', () => {
    const window = Array.from({ length: 20 }, () => ({ staleness: 0, features: [1, 2, 3, 4, 5] }));
    const judged = judges[name]({ window, reference: null, owed: 0 }, attackedRound(scene, 'other'));
    expect(judged.state.window.every(({ features }) => features.length === 2)).toBe(true);
  });

  test('refuses rows that mix updates and a context without sketches', () => {
    const round = attackedRound(scene, 'mixed');
    const empty: OutlierState = { window: [], reference: null, owed: 0 };
    const mixed = {
      terms: new Map([
        [0, 1],
        [1, 1],
      ]),
      weight: 1,
    };
    const cohort = { gram: Float64Array.of(1), rows: [mixed] };
    expect(() => judges[name](empty, { ...round, cohort })).toThrow(RangeError);
    expect(() => judges[name](empty, { ...round, context: { ...round.context, sketches: undefined } })).toThrow(
      RangeError,
    );
  });
});
