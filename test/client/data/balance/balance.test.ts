import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { classWeights } from '../../../../client/typescript/data/balance/class-weights.ts';
import { overSample, underSample } from '../../../../client/typescript/data/balance/resample.ts';
import { smote } from '../../../../client/typescript/data/balance/smote.ts';
import { randomFrom } from '../../../../shared/core/random.ts';
import type { Samples } from '../../../../shared/core/samples.ts';

/** Example i is (i, -i), so that it is known by its features. */
const samplesOf = (labels: readonly number[]): Samples => ({
  x: Float32Array.from(labels.flatMap((_, i) => [i, -i])),
  y: Int32Array.from(labels),
  n: labels.length,
  shape: [2],
});
const countsOf = ({ y }: Samples) => {
  const counts = new Map<number, number>();
  for (const label of y) counts.set(label, (counts.get(label) ?? 0) + 1);
  return Object.fromEntries(counts);
};
const labels = fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 40 });

describe('class weights', () => {
  it('make every class count the same', () => {
    // 100 / (3 * 80), 100 / (3 * 15), 100 / (3 * 5): scikit-learn's formula.
    expect(classWeights([80, 15, 5])).toEqual([100 / 240, 100 / 45, 100 / 15]);
    const weights = classWeights([80, 15, 5]);
    expect([80, 15, 5].map((count, c) => count * weights[c])).toEqual([100 / 3, 100 / 3, 100 / 3]);
  });

  it('go from all ones to full balance with their strength', () => {
    expect(classWeights([9, 1], 0)).toEqual([1, 1]);
    expect(classWeights([9, 1], 0.5)[1]).toBeCloseTo(Math.sqrt(5), 12);
  });

  it('stay finite for a class that nobody holds', () => {
    expect(classWeights([10, 0])).toEqual([0.5, 5]);
  });

  it.each([[[1]], [[1, -1]], [[1, 1.5]]])('refuse counts %j', (counts) => {
    expect(() => classWeights(counts)).toThrow(RangeError);
  });
});

describe('resampling', () => {
  it('over-sampling keeps every example and brings each class up to the largest', () => {
    fc.assert(
      fc.property(labels, (held) => {
        const balanced = overSample(samplesOf(held), randomFrom(1));
        const counts = countsOf(samplesOf(held));
        const most = Math.max(...Object.values(counts));
        expect(countsOf(balanced)).toEqual(Object.fromEntries(Object.keys(counts).map((label) => [label, most])));
        const seen = new Set(balanced.x.filter((_, k) => k % 2 === 0));
        expect(seen.size).toBe(held.length);
        for (let i = 0; i < balanced.n; i++) expect(balanced.y[i]).toBe(held[balanced.x[2 * i]]);
      }),
    );
  });

  it('under-sampling repeats no example and brings each class down to the smallest', () => {
    fc.assert(
      fc.property(labels, (held) => {
        const balanced = underSample(samplesOf(held), randomFrom(1));
        const counts = countsOf(samplesOf(held));
        const least = Math.min(...Object.values(counts));
        expect(countsOf(balanced)).toEqual(Object.fromEntries(Object.keys(counts).map((label) => [label, least])));
        expect(new Set(balanced.x.filter((_, k) => k % 2 === 0)).size).toBe(balanced.n);
      }),
    );
  });

  it('follows its random stream', () => {
    const held = samplesOf([0, 0, 0, 0, 1, 1]);
    expect(overSample(held, randomFrom(3)).x).toEqual(overSample(held, randomFrom(3)).x);
    expect(overSample(held, randomFrom(3)).x).not.toEqual(overSample(held, randomFrom(4)).x);
  });

  it('refuses values to regress on', () => {
    expect(() => overSample({ ...samplesOf([0]), y: Float32Array.of(1) }, randomFrom(1))).toThrow(/expected classes/);
  });
});

describe('SMOTE', () => {
  it('makes examples on the lines between neighbours of one class', () => {
    // Class 1 is two pairs far apart; with one neighbour, nothing can lie between the pairs.
    const x = [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 100, 0, 104, 8, 900, 0, 900, 2];
    const held: Samples = {
      x: Float32Array.from(x),
      y: Int32Array.from([0, 0, 0, 0, 0, 0, 1, 1, 1, 1]),
      n: 10,
      shape: [2],
    };
    const balanced = smote(held, randomFrom(5), 1);
    expect(countsOf(balanced)).toEqual({ 0: 6, 1: 6 });
    expect([...balanced.x.subarray(0, 20)]).toEqual(x);
    for (let i = 10; i < 12; i++) {
      const [a, b] = balanced.x.subarray(2 * i, 2 * i + 2);
      const onFirst = a >= 100 && a <= 104 && Math.abs(b - 2 * (a - 100)) < 1e-4;
      const onSecond = a === 900 && b >= 0 && b <= 2;
      expect(onFirst || onSecond).toBe(true);
    }
  });

  it('repeats the only example of a class', () => {
    const balanced = smote(samplesOf([0, 0, 1]), randomFrom(1));
    expect([...balanced.x.subarray(6)]).toEqual([2, -2]);
  });
});
