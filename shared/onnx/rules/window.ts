import { intsAttribute, stringAttribute } from '../attributes.ts';
import type { Shape } from '../shape.ts';
import { illFitting, type ShapeContext, unsupportedVariant } from './rule.ts';

/** A window that slides over the two spatial axes of [batch, channels, height, width]; every pair is [height, width]. */
export interface Window {
  readonly kernel: Pair;
  readonly strides: Pair;
  readonly dilations: Pair;
  /** Zeros added before and after each axis. */
  readonly begin: Pair;
  readonly end: Pair;
  readonly input: Pair;
  readonly output: Pair;
}

export type Pair = readonly [height: number, width: number];

/**
 * The window of a Conv or MaxPool node over its first input.
 * @throws {FlError} if the input is not 4-D with fixed sides, or the attributes are not whole
 */
export function windowOf({ node, shape }: ShapeContext, kernel: Pair): Window {
  const from = shape(0);
  const [height, width] = from.slice(2);
  if (from.length !== 4) {
    throw unsupportedVariant(node, `an input of shape [${from}]`, 'Use [batch, channels, height, width].');
  }
  if (typeof height !== 'number' || typeof width !== 'number') {
    throw unsupportedVariant(node, `an input of shape [${from}]`, 'Only the first axis may be the batch.');
  }
  const autoPad = stringAttribute(node, 'auto_pad', 'NOTSET');
  if (autoPad !== 'NOTSET' && autoPad !== 'VALID') {
    throw unsupportedVariant(node, `auto_pad=${autoPad}`, 'Export with explicit pads.');
  }
  const strides = pair('strides', [1, 1], 1);
  const dilations = pair('dilations', [1, 1], 1);
  const pads = autoPad === 'VALID' ? [0, 0, 0, 0] : intsAttribute(node, 'pads', [0, 0, 0, 0]);
  if (pads.length !== 4 || pads.some((pad) => pad < 0))
    throw illFitting(node, `pads [${pads}], expected four of 0 or more`);
  if (kernel.some((side) => side < 1)) throw illFitting(node, `kernel [${kernel}], expected 1 or more`);
  const begin: Pair = [pads[0], pads[1]];
  const end: Pair = [pads[2], pads[3]];
  const input: Pair = [height, width];
  const side = (axis: 0 | 1) => {
    const room = input[axis] + begin[axis] + end[axis] - dilations[axis] * (kernel[axis] - 1) - 1;
    if (room < 0) throw illFitting(node, `kernel [${kernel}] does not fit into [${from}] padded by [${pads}]`);
    return Math.floor(room / strides[axis]) + 1;
  };
  return { kernel, strides, dilations, begin, end, input, output: [side(0), side(1)] };

  function pair(name: string, missing: Pair, least: number): Pair {
    const values = intsAttribute(node, name, missing);
    if (values.length !== 2 || values.some((value) => value < least)) {
      throw illFitting(node, `${name} [${values}], expected two of ${least} or more`);
    }
    return [values[0], values[1]];
  }
}

/** Shape of the output of `channels` feature maps. */
export function windowedShape(batch: Shape[number], channels: Shape[number], { output }: Window): Shape {
  return [batch, channels, ...output];
}
