import type { Samples } from '../../../shared/core/samples.ts';

/** Examples `from` to `to` (exclusive) of `samples`: views, no copy. */
export function slice(samples: Samples, from: number, to: number): Samples {
  const width = widthOf(samples.shape);
  const labels = samples.y.length / Math.max(1, samples.n);
  return {
    x: samples.x.subarray(from * width, to * width),
    y: samples.y.subarray(from * labels, to * labels),
    n: to - from,
    shape: samples.shape,
  };
}

/** A copy of the examples at `indices`, in that order. */
export function pick(samples: Samples, indices: ArrayLike<number>): Samples {
  const width = widthOf(samples.shape);
  const n = indices.length;
  const labels = samples.y.length / Math.max(1, samples.n);
  const x = new Float32Array(n * width);
  const y = samples.y instanceof Float32Array ? new Float32Array(n * labels) : new Int32Array(n);
  for (let i = 0; i < n; i++) {
    x.set(samples.x.subarray(indices[i] * width, (indices[i] + 1) * width), i * width);
    y.set(samples.y.subarray(indices[i] * labels, (indices[i] + 1) * labels), i * labels);
  }
  return { x, y, n, shape: samples.shape };
}

/** All examples of several sets of one shape, copied one after the other. */
export function concatenate(sets: readonly Samples[], shape: readonly number[]): Samples {
  const width = widthOf(shape);
  const n = sets.reduce((sum, set) => sum + set.n, 0);
  const x = new Float32Array(n * width);
  const labels = sets.reduce((sum, set) => sum + set.y.length, 0);
  const y = sets.some((set) => set.y instanceof Float32Array) ? new Float32Array(labels) : new Int32Array(labels);
  let row = 0;
  let label = 0;
  for (const set of sets) {
    x.set(set.x, row * width);
    y.set(set.y, label);
    row += set.n;
    label += set.y.length;
  }
  return { x, y, n, shape };
}

/** Number of values in one example. */
export function widthOf(shape: readonly number[]): number {
  return shape.reduce((product, dimension) => product * dimension, 1);
}
