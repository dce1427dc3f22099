import { type GraphBuilder, int } from '../graph-builder.ts';
import type { ClipSpec } from './training-spec.ts';

/** Added to the norm, as PyTorch's clip_grad_norm_ does. */
const normOffset = 1e-6;

/** Gradients clipped by their norm over all parameters, times min(1, max / (norm + 1e-6)), or each value to [-max, max]. */
export function clipped(
  build: GraphBuilder,
  gradients: ReadonlyMap<string, string>,
  { kind, max }: ClipSpec,
): ReadonlyMap<string, string> {
  const each = (change: (gradient: string) => string) =>
    new Map([...gradients].map(([name, gradient]) => [name, change(gradient)]));
  if (kind === 'value') return each((gradient) => build.node('Clip', [gradient, build.float(-max), build.float(max)]));
  const squares = [...gradients.values()].map((gradient) =>
    build.node('ReduceSumSquare', [gradient], { keepdims: int(0) }),
  );
  const norm = build.node('Sqrt', [squares.length === 1 ? squares[0] : build.node('Sum', squares)]);
  const ratio = build.node('Div', [build.float(max), build.node('Add', [norm, build.float(normOffset)])]);
  const scale = build.node('Min', [ratio, build.float(1)]);
  return each((gradient) => build.node('Mul', [gradient, scale]));
}
