import { type GraphBuilder, int } from '../graph-builder.ts';
import { type Shape, sameShape } from '../shape.ts';

/** Sums a gradient of shape `from` over the axes along which an input of shape `to` was broadcast. */
export function unbroadcast(build: GraphBuilder, gradient: string, from: Shape, to: Shape): string {
  if (sameShape(from, to)) return gradient;
  const added = from.length - to.length;
  const leading = Array.from({ length: added }, (_, axis) => axis);
  const stretched = to.flatMap((dimension, axis) => (dimension !== from[axis + added] ? [axis + added] : []));
  let result = gradient;
  if (stretched.length > 0) result = build.node('ReduceSum', [result, build.ints(stretched)], { keepdims: int(1) });
  if (leading.length > 0) result = build.node('ReduceSum', [result, build.ints(leading)], { keepdims: int(0) });
  return result;
}
