/** Count, mean and spread of numbers: what sets of them can be merged from without the numbers. */
export interface Moments {
  readonly count: number;
  readonly mean: number;
  /** Sum of squared differences from the mean. */
  readonly squares: number;
  /** Smallest and largest, where they may be told: each is one row's own value. */
  readonly min?: number;
  readonly max?: number;
  /** True if all are whole numbers. */
  readonly integers: boolean;
}

/** The moments of the values that are not NaN (Welford 1962); undefined if there is none. */
export function momentsOf(values: Iterable<number>): Moments | undefined {
  let count = 0;
  let mean = 0;
  let squares = 0;
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  let integers = true;
  for (const value of values) {
    if (Number.isNaN(value)) continue;
    count++;
    const gap = value - mean;
    mean += gap / count;
    squares += gap * (value - mean);
    if (value < min) min = value;
    if (value > max) max = value;
    integers &&= Number.isInteger(value);
  }
  return count === 0 ? undefined : { count, mean, squares, min, max, integers };
}

/** Moments of two sets together: Chan, Golub and LeVeque 1983, equation 2.1; it does not cancel as sums of squares do. */
export function mergeMoments(a: Moments | undefined, b: Moments | undefined): Moments | undefined {
  if (!a || !b) return a ?? b;
  const count = a.count + b.count;
  const gap = b.mean - a.mean;
  return {
    count,
    mean: a.mean + (gap * b.count) / count,
    squares: a.squares + b.squares + (gap * gap * a.count * b.count) / count,
    ...extreme('min', Math.min, a, b),
    ...extreme('max', Math.max, a, b),
    integers: a.integers && b.integers,
  };
}

/** Standard deviation of the population: divided by the count, as scikit-learn's StandardScaler does. 1 where all are the same. */
export function deviationOf({ count, squares }: Moments): number {
  return Math.sqrt(squares / count) || 1;
}

/** Moments of `scale * (x - shift)`. @param scale greater than 0 */
export function affineMoments(moments: Moments, shift: number, scale: number): Moments {
  const { count, mean, squares, min, max } = moments;
  return {
    count,
    mean: scale * (mean - shift),
    squares: scale * scale * squares,
    ...(min !== undefined && { min: scale * (min - shift) }),
    ...(max !== undefined && { max: scale * (max - shift) }),
    integers: false,
  };
}

/** `count` times the same value. */
export function repeated(value: number, count: number): Moments {
  return { count, mean: value, squares: 0, min: value, max: value, integers: Number.isInteger(value) };
}

function extreme(key: 'min' | 'max', of: (a: number, b: number) => number, a: Moments, b: Moments) {
  const [x, y] = [a[key], b[key]];
  return x === undefined || y === undefined ? {} : { [key]: of(x, y) };
}
