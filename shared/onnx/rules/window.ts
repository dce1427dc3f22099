import { intAttribute, intsAttribute, stringAttribute } from '../attributes.ts';
import type { Shape } from '../shape.ts';
import { illFitting, type ShapeContext, unsupportedVariant } from './rule.ts';

/** A window that slides over the one to three spatial axes of [batch, channels, ...]; every list has one entry for each. */
export interface Window {
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  /** Zeros added before and after each axis. */
  readonly begin: readonly number[];
  readonly end: readonly number[];
  readonly input: readonly number[];
  readonly output: readonly number[];
}

/**
 * The window of a Conv or pooling node over its first input.
 * @throws {FlError} if the input has not one to three spatial axes with fixed sides, or the attributes are not whole
 */
export function windowOf(context: ShapeContext, kernel: readonly number[]): Window {
  const { node, shape } = context;
  const input = spatialSides(context);
  const strides = sideList(context, 'strides', input.length);
  const dilations = sideList(context, 'dilations', input.length);
  if (kernel.length !== input.length || kernel.some((side) => side < 1)) {
    throw illFitting(node, `kernel [${kernel}] over [${shape(0)}], expected ${input.length} of 1 or more`);
  }
  const { begin, end } = paddingOf(context, { kernel, strides, dilations, input });
  const roundUp = intAttribute(node, 'ceil_mode', 0) !== 0;
  const output = input.map((side, axis) => {
    const room = side + begin[axis] + end[axis] - dilations[axis] * (kernel[axis] - 1) - 1;
    if (room < 0)
      throw illFitting(node, `kernel [${kernel}] does not fit into [${shape(0)}] padded by [${begin},${end}]`);
    if (!roundUp) return Math.floor(room / strides[axis]) + 1;
    const count = Math.ceil(room / strides[axis]) + 1;
    // A window must not begin past the input.
    return (count - 1) * strides[axis] >= side + begin[axis] ? count - 1 : count;
  });
  return { kernel, strides, dilations, begin, end, input, output };
}

/** Sizes of the spatial axes of a node's first input. @throws {FlError} if they are not one to three, and fixed */
export function spatialSides({ node, shape }: ShapeContext): readonly number[] {
  const sides = shape(0).slice(2);
  const fixed = sides.filter((side) => typeof side === 'number');
  if (sides.length < 1 || sides.length > 3) {
    throw unsupportedVariant(node, `an input of shape [${shape(0)}]`, 'Use [batch, channels, one to three sides].');
  }
  if (fixed.length !== sides.length) {
    throw unsupportedVariant(node, `an input of shape [${shape(0)}]`, 'Only the first axis may be the batch.');
  }
  return fixed;
}

/** An attribute with one number of 1 or more for each spatial axis, by default 1. */
export function sideList({ node }: ShapeContext, name: string, rank: number): readonly number[] {
  const values = intsAttribute(node, name, Array(rank).fill(1));
  if (values.length !== rank || values.some((value) => value < 1)) {
    throw illFitting(node, `${name} [${values}], expected ${rank} of 1 or more`);
  }
  return values;
}

function paddingOf(
  { node }: ShapeContext,
  { kernel, strides, dilations, input }: Pick<Window, 'kernel' | 'strides' | 'dilations' | 'input'>,
): Pick<Window, 'begin' | 'end'> {
  const rank = kernel.length;
  const none = Array(2 * rank).fill(0);
  const autoPad = stringAttribute(node, 'auto_pad', 'NOTSET');
  if (autoPad === 'SAME_UPPER' || autoPad === 'SAME_LOWER') {
    const totals = input.map((side, axis) => {
      const reach = (Math.ceil(side / strides[axis]) - 1) * strides[axis] + dilations[axis] * (kernel[axis] - 1) + 1;
      return Math.max(0, reach - side);
    });
    const smaller = totals.map((total) => Math.floor(total / 2));
    const larger = totals.map((total) => Math.ceil(total / 2));
    return autoPad === 'SAME_UPPER' ? { begin: smaller, end: larger } : { begin: larger, end: smaller };
  }
  if (autoPad !== 'NOTSET' && autoPad !== 'VALID') throw illFitting(node, `auto_pad=${autoPad}`);
  const pads = autoPad === 'VALID' ? none : intsAttribute(node, 'pads', none);
  if (pads.length !== 2 * rank || pads.some((pad) => pad < 0)) {
    throw illFitting(node, `pads [${pads}], expected ${2 * rank} of 0 or more`);
  }
  return { begin: pads.slice(0, rank), end: pads.slice(rank) };
}

/** Shape of the output of `channels` feature maps. */
export function windowedShape(batch: Shape[number], channels: Shape[number], { output }: Window): Shape {
  return [batch, channels, ...output];
}

/** Rows at the end of each axis that no window reaches: the output padding of the transposed operator. */
export function unreached({ kernel, strides, dilations, begin, end, input, output }: Window): readonly number[] {
  return input.map((side, axis) => {
    const reach = (output[axis] - 1) * strides[axis] + dilations[axis] * (kernel[axis] - 1) + 1;
    return side + begin[axis] + end[axis] - reach;
  });
}
