import { intAttribute, tensorAttribute } from '../attributes.ts';
import { knownShape, knownTensor } from '../known.ts';
import { axisOf, type Dimension, type Shape, sizeOf } from '../shape.ts';
import { intsOfKnown } from './known-arithmetic.ts';
import { illFitting, type Rule, type ShapeContext, unsupportedVariant } from './rule.ts';

function sliceOfShape({ node, shape }: ShapeContext): Shape {
  const rank = shape(0).length;
  const at = (value: number) => Math.min(rank, Math.max(0, value < 0 ? value + rank : value));
  return shape(0).slice(at(intAttribute(node, 'start', 0)), at(intAttribute(node, 'end', rank)));
}

/** A value's sizes. No gradient passes. */
export const shapeOf: Rule = {
  outputShapes: (context) => [[sliceOfShape(context).length]],
  known: (context) => knownShape(sliceOfShape(context)),
};

/** Number of elements. No gradient passes. */
export const size: Rule = {
  outputShapes: () => [[]],
  known({ shape }) {
    const elements = sizeOf(shape(0));
    return elements === undefined ? undefined : { dims: [], values: [elements] };
  },
};

/** A constant of a given shape. No gradient passes. */
export const constantOfShape: Rule = {
  outputShapes({ node, known }) {
    const dims = known(0)?.values;
    if (!dims) throw unsupportedVariant(node, 'a computed shape', 'Export with a constant one, or one made of sizes.');
    if (dims.some((size) => typeof size === 'number' && size < 0)) throw illFitting(node, `a shape of [${dims}]`);
    return [dims];
  },
  known({ node, known }) {
    const dims = intsOfKnown(known(0));
    const fill = tensorAttribute(node, 'value');
    const value = fill && knownTensor(fill)?.values[0];
    if (!dims || value === undefined) return undefined;
    return { dims, values: Array(dims.reduce((product, length) => product * length, 1)).fill(value) };
  },
};

function rangeValues({ node, known }: ShapeContext): readonly number[] | Dimension {
  const [start, limit, delta] = [0, 1, 2].map((input) => known(input)?.values[0]);
  if (start === undefined || limit === undefined || delta === undefined) {
    throw unsupportedVariant(node, 'a computed range', 'Export with constant bounds, or ones made of sizes.');
  }
  if (typeof start === 'number' && typeof limit === 'number' && typeof delta === 'number' && delta !== 0) {
    const length = Math.max(0, Math.ceil((limit - start) / delta));
    if (length > 2 ** 20) throw illFitting(node, `a range of ${length} numbers`);
    return Array.from({ length }, (_, i) => start + i * delta);
  }
  if (start === 0 && delta === 1) return limit;
  throw unsupportedVariant(node, `a range from ${start} to ${limit}`, 'Count the batch from 0 in steps of 1.');
}

/** Whole numbers from a start to a limit. No gradient passes. */
export const range: Rule = {
  outputShapes(context) {
    const values = rangeValues(context);
    return [[typeof values === 'object' ? values.length : values]];
  },
  known(context) {
    const values = rangeValues(context);
    return typeof values === 'object' ? { dims: [values.length], values } : undefined;
  },
};

/** The place of the extreme along an axis. No gradient passes. */
export const argExtreme: Rule = {
  outputShapes({ node, shape }) {
    const axis = axisOf(intAttribute(node, 'axis', 0), shape(0).length);
    if (axis === undefined) throw illFitting(node, `axis ${intAttribute(node, 'axis', 0)} is not one of [${shape(0)}]`);
    if (intAttribute(node, 'keepdims', 1) !== 0) return [shape(0).with(axis, 1)];
    return [shape(0).toSpliced(axis, 1)];
  },
};

/** One-hot rows of integers. No gradient passes. */
export const oneHot: Rule = {
  outputShapes({ node, shape, known }) {
    const depth = known(1)?.values[0];
    if (depth === undefined) throw unsupportedVariant(node, 'a computed depth', 'Export with a constant one.');
    const rank = shape(0).length + 1;
    const axis = axisOf(intAttribute(node, 'axis', -1), rank);
    if (axis === undefined) throw illFitting(node, `axis ${intAttribute(node, 'axis', -1)} is not one of ${rank}`);
    return [shape(0).toSpliced(axis, 0, depth)];
  },
};
