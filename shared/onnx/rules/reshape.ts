import { intAttribute } from '../attributes.ts';
import { axisOf, type Dimension, over, type Shape, sizeOf } from '../shape.ts';
import { intsOfKnown } from './known-arithmetic.ts';
import {
  firstInput,
  type GradientContext,
  illFitting,
  type Rule,
  type ShapeContext,
  unsupportedVariant,
} from './rule.ts';

const keepBatch = 'Keep the batch axis first and by itself.';

/** The same numbers under another shape: the gradient goes back to the input's own. */
function reshapeBack({ build, input, wants, outputGradient }: GradientContext): readonly (string | undefined)[] {
  const toShape = () => build.node('Reshape', [outputGradient, build.node('Shape', [input(0)])], keepsEmpty);
  return [wants(0) ? toShape() : undefined];
}

/** A size of 0 means an empty axis, not a copied one. */
const keepsEmpty = { allowzero: { kind: 'int', value: 1 } } as const;

function sameValues({ known }: ShapeContext, dims: Shape | undefined) {
  const from = known(0);
  const sizes = dims?.filter((dimension) => typeof dimension === 'number');
  return from && sizes && sizes.length === dims?.length ? { dims: sizes, values: from.values } : undefined;
}

function reshaped({ node, shape, known }: ShapeContext): Shape {
  const wanted = known(1)?.values;
  if (!wanted) throw unsupportedVariant(node, 'a computed shape', 'Export with a constant one, or one made of sizes.');
  const from = shape(0);
  const copies = intAttribute(node, 'allowzero', 0) === 0;
  const dims = wanted.map((size, axis) => (size === 0 && copies ? (from[axis] ?? Number.NaN) : size));
  const open = dims.indexOf(-1);
  const total = sizeOf(from);
  if (total === undefined) throw unsupportedVariant(node, `the input shape [${from}]`, keepBatch);
  const rest = sizeOf(dims.filter((_, axis) => axis !== open));
  const isWhole = dims.every((size, axis) => axis === open || typeof size !== 'number' || size >= 0);
  if (!isWhole || (rest === 0 && open >= 0)) throw illFitting(node, `[${from}] cannot be reshaped to [${wanted}]`);
  const openSize = rest === undefined ? undefined : over(total, rest);
  if (open >= 0 && openSize !== undefined) return dims.with(open, openSize);
  if (open < 0 && rest === total) return dims;
  if (typeof total === 'number') throw illFitting(node, `[${from}] cannot be reshaped to [${wanted}]`);
  throw unsupportedVariant(node, `reshaping [${from}] to [${wanted}]`, keepBatch);
}

export const reshape: Rule = {
  outputShapes: (context) => [reshaped(context)],
  differentiable: firstInput,
  known: (context) => sameValues(context, reshaped(context)),
  gradients: reshapeBack,
};

export const flatten: Rule = {
  outputShapes({ node, shape }) {
    const from = shape(0);
    const attribute = intAttribute(node, 'axis', 1);
    const axis = attribute === from.length ? attribute : axisOf(attribute, from.length);
    if (axis === undefined) throw illFitting(node, `axis ${attribute} is not one of [${from}]`);
    const [rows, columns] = [sizeOf(from.slice(0, axis)), sizeOf(from.slice(axis))];
    if (rows === undefined || columns === undefined) throw unsupportedVariant(node, `flattening [${from}]`, keepBatch);
    return [[rows, columns]];
  },
  gradients: reshapeBack,
};

/** Axes from an input (operator set 13 and later), counted from the front of `rank` axes. */
export function axesInput(context: ShapeContext, input: number, rank: number): readonly number[] | undefined {
  const { node, has, known } = context;
  if (!has(input)) return undefined;
  const axes = intsOfKnown(known(input));
  if (!axes) throw unsupportedVariant(node, 'a computed list of axes', 'Export with constant axes.');
  const counted = axes.map((axis) => axisOf(axis, rank));
  const found = counted.filter((axis) => axis !== undefined);
  if (found.length !== axes.length || new Set(found).size !== axes.length) {
    throw illFitting(node, `axes [${axes}] are not distinct axes of a rank of ${rank}`);
  }
  return found;
}

function squeezed(context: ShapeContext): Shape {
  const { node, shape } = context;
  const from = shape(0);
  const axes = axesInput(context, 1, from.length) ?? from.flatMap((size, axis) => (size === 1 ? [axis] : []));
  if (axes.some((axis) => from[axis] !== 1))
    throw illFitting(node, `axes [${axes}] of [${from}] are not all of size 1`);
  return from.filter((_, axis) => !axes.includes(axis));
}

export const squeeze: Rule = {
  outputShapes: (context) => [squeezed(context)],
  differentiable: firstInput,
  known: (context) => sameValues(context, squeezed(context)),
  gradients: reshapeBack,
};

function unsqueezed(context: ShapeContext): Shape {
  const { node, shape, known } = context;
  const rank = shape(0).length + (known(1)?.values.length ?? 0);
  const axes = axesInput(context, 1, rank);
  if (!axes) throw illFitting(node, 'the axes are missing');
  const from = shape(0).values();
  return Array.from({ length: rank }, (_, axis): Dimension => (axes.includes(axis) ? 1 : (from.next().value ?? 1)));
}

export const unsqueeze: Rule = {
  outputShapes: (context) => [unsqueezed(context)],
  differentiable: firstInput,
  known: (context) => sameValues(context, unsqueezed(context)),
  gradients: reshapeBack,
};
