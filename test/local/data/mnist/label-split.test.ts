import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dirichlet, dirichletSplit, shardSplit } from '../../../../local/data/mnist/label-split.ts';
import { randomFrom } from '../../../../shared/core/random.ts';

describe('dirichlet', () => {
  it.each([0.1, 0.3, 1, 10])('has the mean square (alpha + 1) / (K (K alpha + 1)) at alpha %s', (alpha) => {
    const random = randomFrom(`dirichlet/${alpha}`);
    const count = 20;
    let squares = 0;
    for (let draw = 0; draw < 4000; draw++) {
      squares += dirichlet(count, alpha, random).reduce((sum, share) => sum + share * share, 0) / count / 4000;
    }
    const expected = (alpha + 1) / (count * (count * alpha + 1));
    expect(squares / expected).toBeGreaterThan(0.95);
    expect(squares / expected).toBeLessThan(1.05);
  });

  it('sums to 1 even where plain Gamma draws would all underflow', () => {
    const shares = dirichlet(10, 0.001, randomFrom('tiny'));
    expect(shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 12);
  });
});

describe('dirichletSplit', () => {
  it('puts every example into exactly one client and none below the minimum', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 60, maxLength: 300 }),
        fc.constantFrom(0.01, 0.3, 100),
        fc.integer({ min: 1, max: 12 }),
        fc.integer(),
        (labels, alpha, clients, seed) => {
          const parts = dirichletSplit(labels, { classes: 5, clients, alpha, minimum: 5 }, randomFrom(seed));
          expect(parts).toHaveLength(clients);
          expect(Math.min(...parts.map((part) => part.length))).toBeGreaterThanOrEqual(5);
          expect(parts.flatMap((part) => [...part]).sort((a, b) => a - b)).toEqual(labels.map((_, i) => i));
        },
      ),
      { numRuns: 60 },
    );
  });

  it('comes close to equal shares at a large alpha', () => {
    const labels = Array.from({ length: 10_000 }, (_, i) => i % 10);
    const parts = dirichletSplit(labels, { classes: 10, clients: 10, alpha: 1e5, minimum: 1 }, randomFrom(1));
    for (const part of parts) {
      expect(part.length).toBeGreaterThan(950);
      expect(part.length).toBeLessThan(1050);
    }
  });

  it('refuses more clients than the examples can fill', () => {
    const options = { classes: 1, clients: 3, alpha: 1, minimum: 5 };
    expect(() => dirichletSplit(new Uint8Array(14), options, randomFrom(1))).toThrow(/option-invalid/);
  });
});

describe('shardSplit', () => {
  it('gives each client two shards of at most two classes each, all of equal size', () => {
    const labels = Array.from({ length: 1000 }, (_, i) => i % 10);
    const parts = shardSplit(labels, { classes: 10, clients: 50, shardsEach: 2 }, randomFrom(1));
    expect(parts.flatMap((part) => [...part]).sort((a, b) => a - b)).toEqual(labels.map((_, i) => i));
    for (const part of parts) {
      expect(part).toHaveLength(20);
      // 100 examples a class and 10 a shard: a shard never spans two classes here.
      expect(new Set([...part].map((i) => labels[i])).size).toBeLessThanOrEqual(2);
    }
  });

  it('loses no example where the shards do not come out even', () => {
    const labels = Array.from({ length: 103 }, (_, i) => i % 10);
    const parts = shardSplit(labels, { classes: 10, clients: 7, shardsEach: 3 }, randomFrom(1));
    expect(parts.reduce((sum, part) => sum + part.length, 0)).toBe(103);
  });
});
