import fc from 'fast-check';
import { expect, test } from 'vitest';
import { WeightedMean } from '../../shared/core/aggregator/weighted-mean.ts';
import { serverSgd } from '../../shared/core/server-optimizer/sgd.ts';

const float = fc.float({ noNaN: true, noDefaultInfinity: true, min: -1000, max: 1000 });

/** The mean of whole updates, in chunks of any size. */
function mean(updates: readonly Float32Array[], weights: readonly number[], chunk: number): Float64Array {
  const result = new WeightedMean(updates[0].length);
  updates.forEach((update, i) => {
    result.begin(weights[i]);
    for (let start = 0; start < update.length; start += chunk) result.add(update.subarray(start, start + chunk));
  });
  return result.finish();
}

test('the mean of two updates, by hand', () => {
  const updates = [new Float32Array([1, 2]), new Float32Array([5, -2])];
  expect([...mean(updates, [0.75, 0.25], 1)]).toEqual([2, 1]);
});

test('any cut into tiles and chunks gives the bytes of the whole, momentum included', () => {
  const shape = fc.record({ size: fc.integer({ min: 1, max: 300 }), count: fc.integer({ min: 1, max: 8 }) });
  fc.assert(
    fc.property(
      shape.chain(({ size, count }) =>
        fc.record({
          updates: fc.array(fc.array(float, { minLength: size, maxLength: size }), {
            minLength: count,
            maxLength: count,
          }),
          base: fc.array(float, { minLength: size, maxLength: size }),
          cuts: fc.array(fc.nat(size), { maxLength: 5 }),
          chunk: fc.integer({ min: 1, max: 50 }),
        }),
      ),
      fc.constantFrom(0, 0.9),
      ({ updates, base, cuts, chunk }, momentum) => {
        const vectors = updates.map((update) => Float32Array.from(update));
        const start = Float32Array.from(base);
        const velocity = start.map((value) => value / 3);
        const weights = vectors.map(() => 1 / vectors.length);
        const optimizer = { learningRate: 0.7, momentum };
        const whole = serverSgd(start, mean(vectors, weights, start.length), velocity, optimizer);
        const edges = [...new Set([0, ...cuts, start.length])].sort((a, b) => a - b);
        const tiled = new Float32Array(start.length);
        const tiledVelocity = new Float32Array(start.length);
        for (let i = 0; i + 1 < edges.length; i++) {
          const [from, to] = [edges[i], edges[i + 1]];
          const delta = mean(
            vectors.map((vector) => vector.subarray(from, to)),
            weights,
            chunk,
          );
          const tile = serverSgd(start.subarray(from, to), delta, velocity.subarray(from, to), optimizer);
          tiled.set(tile.params, from);
          if (tile.velocity) tiledVelocity.set(tile.velocity, from);
        }
        expect(tiled).toEqual(whole.params);
        if (whole.velocity) expect(tiledVelocity).toEqual(whole.velocity);
      },
    ),
  );
});

test('momentum follows v = m v + d, x = x + lr v over two steps, by hand', () => {
  const optimizer = { learningRate: 0.5, momentum: 0.5 };
  const first = serverSgd(new Float32Array([1]), new Float64Array([2]), undefined, optimizer);
  expect([first.params[0], first.velocity?.[0]]).toEqual([2, 2]); // v = 2, x = 1 + 0.5 * 2
  const second = serverSgd(first.params, new Float64Array([4]), first.velocity, optimizer);
  expect([second.params[0], second.velocity?.[0]]).toEqual([4.5, 5]); // v = 1 + 4, x = 2 + 0.5 * 5
});

test('an update that is shorter or longer than the tile is an error', () => {
  const short = new WeightedMean(4);
  short.begin(1);
  short.add(new Float32Array(3));
  expect(() => short.finish()).toThrow('3 values, expected 4');
  const long = new WeightedMean(4);
  long.begin(1);
  expect(() => long.add(new Float32Array(5))).toThrow(RangeError);
});
