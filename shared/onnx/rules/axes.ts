import { intsAttribute } from '../attributes.ts';
import { ints } from '../graph-builder.ts';
import { type Dimension, times } from '../shape.ts';
import { intsOfKnown } from './known-arithmetic.ts';
import { firstInput, illFitting, type Rule, type ShapeContext, unsupportedVariant } from './rule.ts';
import { unbroadcast } from './unbroadcast.ts';

function permutation({ node, shape }: ShapeContext): readonly number[] {
  const rank = shape(0).length;
  const reversed = Array.from({ length: rank }, (_, axis) => rank - 1 - axis);
  const order = intsAttribute(node, 'perm', reversed);
  if (order.length !== rank || reversed.some((axis) => !order.includes(axis))) {
    throw illFitting(node, `perm [${order}] is no order of the axes of [${shape(0)}]`);
  }
  return order;
}

export const transpose: Rule = {
  outputShapes: (context) => [permutation(context).map((axis) => context.shape(0)[axis])],
  gradients(context) {
    const order = permutation(context);
    const back = order.map((_, axis) => order.indexOf(axis));
    return [context.build.node('Transpose', [context.outputGradient], { perm: ints(back) })];
  },
};

/** Stretches axes of size 1 to those of a shape that the input broadcasts with. */
export const expand: Rule = {
  outputShapes({ node, shape, known }) {
    const to = known(1)?.values;
    if (!to) throw unsupportedVariant(node, 'a computed shape', 'Export with a constant one, or one made of sizes.');
    const from = shape(0);
    const rank = Math.max(from.length, to.length);
    return [
      Array.from({ length: rank }, (_, axis): Dimension => {
        const [own, wanted] = [from[axis - rank + from.length] ?? 1, to[axis - rank + to.length] ?? 1];
        const isNegative = typeof wanted === 'number' && wanted < 0;
        if (isNegative || (own !== wanted && own !== 1 && wanted !== 1))
          throw illFitting(node, `[${from}] does not expand to [${to}]`);
        return own === 1 ? wanted : own;
      }),
    ];
  },
  differentiable: firstInput,
  known({ shape, known }) {
    const [from, to] = [known(0), intsOfKnown(known(1))];
    if (from?.values.length !== 1 || !to || shape(0).length > to.length) return undefined;
    const length = to.reduce((product, size) => product * size, 1);
    return length <= 4096 ? { dims: to, values: Array(length).fill(from.values[0]) } : undefined;
  },
  gradients: (context) => [unbroadcast(context.build, context.outputGradient, context.outputShape(), context.shape(0))],
};

function repeats({ node, shape, known }: ShapeContext): readonly number[] {
  const counts = intsOfKnown(known(1));
  if (!counts) throw unsupportedVariant(node, 'a computed number of repeats', 'Export with constant ones.');
  if (counts.length !== shape(0).length || counts.some((count) => count < 0)) {
    throw illFitting(node, `repeats [${counts}] do not fit [${shape(0)}]`);
  }
  return counts;
}

/** Repeats: with each axis split into [repeats, size], the gradient is the sum over the repeats. */
export const tile: Rule = {
  outputShapes(context) {
    const counts = repeats(context);
    return [context.shape(0).map((size, axis) => times(size, counts[axis]) ?? size)];
  },
  differentiable: firstInput,
  gradients(context) {
    const { build, input, shape, outputGradient } = context;
    const counts = repeats(context);
    if (counts.every((count) => count === 1)) return [outputGradient];
    const sizes = build.node('Shape', [input(0)]);
    const parts = counts.flatMap((count, axis) => [
      build.ints([count]),
      build.node('Slice', [sizes, build.ints([axis]), build.ints([axis + 1])]),
    ]);
    const split = build.node(
      'Reshape',
      [outputGradient, build.node('Concat', parts, { axis: { kind: 'int', value: 0 } })],
      {
        allowzero: { kind: 'int', value: 1 },
      },
    );
    const axes = shape(0).map((_, axis) => 2 * axis);
    return [build.node('ReduceSum', [split, build.ints(axes)], { keepdims: { kind: 'int', value: 0 } })];
  },
};
