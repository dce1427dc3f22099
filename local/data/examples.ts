import type { Samples } from '../../shared/core/samples.ts';

/** Examples `from` to `to` (exclusive) of `samples`: views, no copy. */
export function slice(samples: Samples, from: number, to: number): Samples {
  const width = widthOf(samples.shape);
  return {
    x: samples.x.subarray(from * width, to * width),
    y: samples.y.subarray(from, to),
    n: to - from,
    shape: samples.shape,
  };
}

/** A copy of the examples at `indices`, in that order. */
export function pick(samples: Samples, indices: ArrayLike<number>): Samples {
  const width = widthOf(samples.shape);
  const n = indices.length;
  const x = new Float32Array(n * width);
  const y = new Int32Array(n);
  for (let i = 0; i < n; i++) {
    x.set(samples.x.subarray(indices[i] * width, (indices[i] + 1) * width), i * width);
    y[i] = samples.y[indices[i]];
  }
  return { x, y, n, shape: samples.shape };
}

/** All examples of several sets of one shape, copied one after the other. */
export function concatenate(sets: readonly Samples[], shape: readonly number[]): Samples {
  const width = widthOf(shape);
  const n = sets.reduce((sum, set) => sum + set.n, 0);
  const x = new Float32Array(n * width);
  const y = new Int32Array(n);
  let row = 0;
  for (const set of sets) {
    x.set(set.x, row * width);
    y.set(set.y, row);
    row += set.n;
  }
  return { x, y, n, shape };
}

/** Number of values in one example. */
export function widthOf(shape: readonly number[]): number {
  return shape.reduce((product, dimension) => product * dimension, 1);
}
