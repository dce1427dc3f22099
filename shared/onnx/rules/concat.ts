import { intAttribute } from '../attributes.ts';
import { int } from '../graph-builder.ts';
import { axisOf, type Dimension, type Shape } from '../shape.ts';
import { intsOfKnown } from './known-arithmetic.ts';
import { firstInput, illFitting, type Rule, type ShapeContext, unsupportedVariant } from './rule.ts';

function checkedAxis({ node, shape }: ShapeContext, missing: number): number {
  const attribute = intAttribute(node, 'axis', missing);
  const axis = axisOf(attribute, shape(0).length);
  if (axis === undefined) throw illFitting(node, `axis ${attribute} is not one of [${shape(0)}]`);
  return axis;
}

/** Lays its inputs one after the other along an axis; the gradient is cut apart again. */
export const concat: Rule = {
  outputShapes(context) {
    const { node, shape } = context;
    const axis = checkedAxis(context, 0);
    const shapes = node.inputs.map((_, input) => shape(input));
    for (const other of shapes) {
      if (other.length !== shapes[0].length || other.some((size, i) => i !== axis && size !== shapes[0][i])) {
        throw illFitting(node, `[${shapes[0]}] and [${other}] differ on another axis than ${axis}`);
      }
    }
    return [
      shapes[0].with(
        axis,
        totalOf(
          context,
          shapes.map((other) => other[axis]),
        ),
      ),
    ];
  },
  known({ node, known }) {
    const parts = node.inputs.map((_, input) => known(input));
    if (parts.some((part) => part?.dims.length !== 1)) return undefined;
    const values = parts.flatMap((part) => part?.values ?? []);
    return { dims: [values.length], values };
  },
  gradients(context) {
    const { build, node, shape, wants, outputGradient } = context;
    const axis = checkedAxis(context, 0);
    const sizes = node.inputs.map((_, input) => shape(input)[axis]);
    const fixed = sizes.filter((size) => typeof size === 'number');
    if (sizes.length === 1) return [outputGradient];
    if (fixed.length !== sizes.length) {
      // One part has all rows, the others none.
      return sizes.map((size, input) => (wants(input) && size !== 0 ? outputGradient : undefined));
    }
    const parts = sizes.map((_, input) => build.fresh(`Split/out${input}`));
    build.emit('Split', [outputGradient, build.ints(fixed)], parts, new Map([['axis', int(axis)]]));
    return parts.map((part, input) => (wants(input) ? part : undefined));
  },
};

function totalOf({ node }: ShapeContext, sizes: readonly Dimension[]): Dimension {
  const present = sizes.filter((size) => size !== 0);
  if (present.length <= 1) return present[0] ?? 0;
  return present.reduce((total, size) => {
    if (typeof total === 'number' && typeof size === 'number') return total + size;
    throw unsupportedVariant(node, 'joining along the batch', 'Keep the batch axis first and by itself.');
  });
}

function splitSizes(context: ShapeContext): readonly number[] {
  const { node, shape, has, known } = context;
  const total = shape(0)[checkedAxis(context, 0)];
  if (typeof total !== 'number') {
    throw unsupportedVariant(node, 'splitting the batch', 'Keep the batch axis first and by itself.');
  }
  if (has(1)) {
    const sizes = intsOfKnown(known(1));
    if (!sizes) throw unsupportedVariant(node, 'computed sizes', 'Export with constant ones.');
    const isWhole = sizes.every((size) => size >= 0) && sizes.reduce((sum, size) => sum + size, 0) === total;
    if (!isWhole || sizes.length !== node.outputs.length) throw illFitting(node, `[${sizes}] does not split ${total}`);
    return sizes;
  }
  const count = intAttribute(node, 'num_outputs', node.outputs.length);
  if (count !== node.outputs.length) throw illFitting(node, `num_outputs=${count} for ${node.outputs.length} outputs`);
  const chunk = Math.ceil(total / count);
  return Array.from({ length: count }, (_, part) => Math.max(0, Math.min(chunk, total - part * chunk)));
}

/** Cuts along an axis; the gradient joins again, with zeros for parts that nothing reads. */
export const split: Rule = {
  outputShapes(context) {
    const axis = checkedAxis(context, 0);
    return splitSizes(context).map((size): Shape => context.shape(0).with(axis, size));
  },
  differentiable: firstInput,
  manyOutputs: true,
  gradients(context) {
    const { build, node, output, gradientOf } = context;
    const zeros = (index: number) => build.node('ConstantOfShape', [build.node('Shape', [output(index)])]);
    const parts = node.outputs.map((_, index) => gradientOf(index) ?? zeros(index));
    return [build.node('Concat', parts, { axis: int(checkedAxis(context, 0)) })];
  },
};
