import { type GraphBuilder, int } from '../graph-builder.ts';

/** Values brought to mean 0 and variance 1 over some axes, or only scaled to mean square 1. */
export interface Normalised {
  /** (x - mean) / deviation */
  readonly value: string;
  /** 1 / deviation, with the axes kept as size 1. */
  readonly inverse: string;
  readonly axes: readonly number[];
  readonly centred: boolean;
}

/** Mean over axes, kept as size 1. */
export function meanOver(build: GraphBuilder, value: string, axes: readonly number[]): string {
  return build.node('ReduceMean', [value, build.ints(axes)], { keepdims: int(1) });
}

/** Appends x normalised over `axes`: 1 / sqrt(variance + epsilon), the variance biased. */
export function normalised(
  build: GraphBuilder,
  value: string,
  { axes, epsilon, centred = true }: { axes: readonly number[]; epsilon: number; centred?: boolean },
): Normalised {
  const shifted = centred ? build.node('Sub', [value, meanOver(build, value, axes)]) : value;
  const variance = meanOver(build, build.node('Mul', [shifted, shifted]), axes);
  const deviation = build.node('Sqrt', [build.node('Add', [variance, build.float(epsilon)])]);
  const inverse = build.node('Reciprocal', [deviation]);
  return { value: build.node('Mul', [shifted, inverse]), inverse, axes, centred };
}

/**
 * The gradient that passes back through a normalisation: (g - mean(g) - n mean(g n)) / deviation, without mean(g) if nothing was centred.
 * Batch normalization, arXiv:1502.03167, section 3; the other normalisations differ in the axes alone.
 * @param gradient of the normalised value
 */
export function throughNormalised(build: GraphBuilder, gradient: string, normal: Normalised): string {
  const { value, inverse, axes, centred } = normal;
  const along = meanOver(build, build.node('Mul', [gradient, value]), axes);
  const shifted = centred ? build.node('Sub', [gradient, meanOver(build, gradient, axes)]) : gradient;
  return build.node('Mul', [build.node('Sub', [shifted, build.node('Mul', [value, along])]), inverse]);
}
