import { describe, expect, test } from 'vitest';
import { cohortOf } from '../../../../shared/core/aggregator/cohort.ts';
import { type AsyncFilterState, asyncFilter } from '../../../../shared/core/anomaly/async-filter.ts';
import { randomFrom } from '../../../../shared/core/random.ts';
import { attackedRound } from './attack.ts';

const config = { versions: 8, separation: 1.5, middleSeparation: 2 };

function judge(state: AsyncFilterState, points: readonly (readonly number[])[], stalenesses: readonly number[]) {
  const members = stalenesses.map((staleness, i) => ({ client: `c${i}`, staleness, examples: 1, metrics: {} }));
  const cohort = cohortOf(
    new Float64Array(points.length ** 2),
    points.map(() => 1 / points.length),
  );
  const sketches = points.map((point) => Float64Array.from(point));
  const judged = asyncFilter.apply(config, state, cohort, { members, sketches, random: randomFrom('none') });
  return { rejected: judged.rejected.map(({ update }) => update), state: judged.state, scores: judged.scores };
}

test('rejects the far cluster of a group and takes the near and the middle one', () => {
  // Mean (4, 0): distances 4, 4, 3, 3, 14.
  const { rejected, scores } = judge(
    { means: [] },
    [
      [0, 0],
      [0, 0],
      [1, 0],
      [1, 0],
      [18, 0],
    ],
    [0, 0, 0, 0, 0],
  );
  expect(rejected).toEqual([4]);
  expect(scores?.['async-filter']).toEqual([4, 4, 3, 3, 14].map((distance) => distance / 28));
});

test('rejects the middle cluster too where it is far from the near one, as attackers of two sizes make it', () => {
  // Mean (0, 0): distances 1, 1, 2, 8, 10, so that the clusters' means are 4/3, 8 and 10.
  const twoSizes = [
    [1, 0],
    [-1, 0],
    [2, 0],
    [8, 0],
    [-10, 0],
  ];
  expect(judge({ means: [] }, twoSizes, [0, 0, 0, 0, 0]).rejected).toEqual([3, 4]);
});

test('lets groups pass that are under three or lie evenly around their mean', () => {
  expect(
    judge(
      { means: [] },
      [
        [0, 0],
        [100, 0],
      ],
      [0, 0],
    ).rejected,
  ).toEqual([]);
  expect(
    judge(
      { means: [] },
      [
        [1, 0],
        [-1, 0],
        [0, 1],
        [0, -1],
      ],
      [3, 3, 3, 3],
    ).rejected,
  ).toEqual([]);
});

test('remembers a version’s mean for its updates that come later, and forgets beyond its versions', () => {
  const fresh = judge(
    { means: [] },
    [
      [2, 0],
      [2, 0],
    ],
    [0, 0],
  );
  expect(fresh.state.means[0]).toEqual({ sketch: [0, 0], updates: 0 });
  expect(fresh.state.means[1]).toEqual({ sketch: [2, 0], updates: 2 });
  // One version later these updates are of the same base: mean (2 * 2 + 8) / 3 over the first coordinate.
  const next = judge(fresh.state, [[8, 0]], [1]);
  expect(next.state.means[2]).toEqual({ sketch: [4, 0], updates: 3 });
  let state = next.state;
  for (let i = 0; i < 8; i++) state = judge(state, [], []).state;
  expect(state.means.length).toBe(8);
  expect(state.means.every(({ updates }) => updates === 0)).toBe(true);
});

test('keeps what it rejected out of the means', () => {
  const { state } = judge(
    { means: [] },
    [
      [0, 0],
      [0, 0],
      [1, 0],
      [1, 0],
      [18, 0],
    ],
    [0, 0, 0, 0, 0],
  );
  expect(state.means[1]).toEqual({ sketch: [0.5, 0], updates: 4 });
});

describe('against attackers', () => {
  test.each(['scaled', 'noise'] as const)('rejects more attackers than others when these send %s updates', (attack) => {
    const strict = { versions: 8, separation: 1.2, middleSeparation: 2 };
    let state = asyncFilter.init(strict);
    const counts = { evil: 0, rejectedEvil: 0, honest: 0, rejectedHonest: 0 };
    for (let r = 0; r < 6; r++) {
      const scene = { attack, honest: 40, attackers: 10, alpha: 1, sketchLength: 64 };
      const { cohort, context, evil } = attackedRound(scene, `filter/${r}`);
      const judged = asyncFilter.apply(strict, state, cohort, context);
      state = judged.state;
      const rejected = new Set(judged.rejected.map(({ update }) => update));
      evil.forEach((bad, i) => {
        counts[bad ? 'evil' : 'honest']++;
        if (rejected.has(i)) counts[bad ? 'rejectedEvil' : 'rejectedHonest']++;
      });
    }
    expect(counts.rejectedEvil / counts.evil).toBeGreaterThan(2 * (counts.rejectedHonest / counts.honest));
  });
});
