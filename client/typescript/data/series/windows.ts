import type { Samples } from '../../../../shared/core/samples.ts';

export interface WindowOptions {
  /** Steps that the model sees. */
  readonly length: number;
  /** Steps that it tells. */
  readonly horizon: number;
  /** Steps between the starts of two windows. Default 1: every window. */
  readonly stride?: number;
  /** Steps between the last one seen and the first one told. Default 0: the next. */
  readonly gap?: number;
  /** Values of a step: `series` is step after step. Default 1. */
  readonly features?: number;
  /** Which of the features are told. Default all. */
  readonly targets?: readonly number[];
}

/**
 * Windows of a series with what comes after them: x `[length]`, or `[length, features]` for several, and y `[horizon * targets]`, step
 * after step, as `linear-forecast` wants it. A window with a missing value (NaN) is left out.
 *
 * Cut training and test apart before: windows of one series overlap.
 * @throws {RangeError} on sizes that are no positive integers, or a series that is no whole number of steps
 */
export function windows(series: Float32Array, options: WindowOptions): Samples {
  const { length, horizon, stride = 1, gap = 0, features = 1 } = options;
  const { targets = Array.from({ length: features }, (_, f) => f) } = options;
  for (const [name, size] of Object.entries({ length, horizon, stride, features })) {
    if (!Number.isSafeInteger(size) || size < 1) throw new RangeError(`${name}: ${size}, expected a positive integer`);
  }
  if (!Number.isSafeInteger(gap) || gap < 0) throw new RangeError(`gap: ${gap}, expected an integer of 0 or more`);
  if (series.length % features !== 0) throw new RangeError(`series: ${series.length} values, ${features} in each step`);
  if (!targets.every((f) => Number.isInteger(f) && f >= 0 && f < features)) {
    throw new RangeError(`targets: [${targets}], expected features 0 to ${features - 1}`);
  }
  const steps = series.length / features;
  const starts: number[] = [];
  for (let first = 0; first + length + gap + horizon <= steps; first += stride) {
    const ahead = first + length + gap;
    const seen = series.subarray(first * features, (first + length) * features);
    const told = series.subarray(ahead * features, (ahead + horizon) * features);
    if (!hasGap(seen) && !hasGap(told)) starts.push(first);
  }
  const n = starts.length;
  const x = new Float32Array(n * length * features);
  const y = new Float32Array(n * horizon * targets.length);
  starts.forEach((first, i) => {
    x.set(series.subarray(first * features, (first + length) * features), i * length * features);
    let at = i * horizon * targets.length;
    for (let step = first + length + gap; step < first + length + gap + horizon; step++) {
      for (const f of targets) y[at++] = series[step * features + f];
    }
  });
  return { x, y, n, shape: features === 1 ? [length] : [length, features] };
}

function hasGap(values: Float32Array): boolean {
  return values.some((value) => Number.isNaN(value));
}
