import { stringAttribute } from '../attributes.ts';
import type { Dimension } from '../shape.ts';
import { scatterRows } from './gather.ts';
import { intsOfKnown } from './known-arithmetic.ts';
import { axesInput } from './reshape.ts';
import {
  firstInput,
  illFitting,
  type Rule,
  requireFewConstants,
  type ShapeContext,
  unsupportedVariant,
} from './rule.ts';

/** What a Slice takes of one axis: every `step`-th of `length` elements, from `start` on. */
export interface Cut {
  readonly axis: number;
  readonly size: number;
  readonly start: number;
  readonly step: number;
  readonly length: number;
}

/** The cuts that leave something out or turn it round. */
export function cutsOf(context: ShapeContext): readonly Cut[] {
  const { node, shape, has, known } = context;
  const from = shape(0);
  const starts = known(1)?.values;
  const ends = known(2)?.values;
  const steps = has(4) ? intsOfKnown(known(4)) : starts?.map(() => 1);
  if (!starts || !ends || !steps) {
    throw unsupportedVariant(node, 'computed bounds', 'Export with constant ones, or ones made of sizes.');
  }
  const axes = axesInput(context, 3, from.length) ?? starts.map((_, axis) => axis);
  if (ends.length !== starts.length || axes.length !== starts.length || steps.length !== starts.length) {
    throw illFitting(node, 'starts, ends, axes and steps differ in number');
  }
  return axes.flatMap((axis, i) => {
    const [size, start, end, step] = [from[axis], starts[i], ends[i], steps[i]];
    if (size === undefined || step === 0) throw illFitting(node, `axis ${axis} of [${from}] by steps of ${step}`);
    const isAll = step === 1 && start === 0 && (end === size || (typeof end === 'number' && end >= 2 ** 31 - 1));
    if (isAll) return [];
    if (typeof size !== 'number' || typeof start !== 'number' || typeof end !== 'number') {
      throw unsupportedVariant(node, 'slicing the batch', 'Keep all examples of the batch.');
    }
    return [{ axis, size, step, ...bounded(size, start, end, step) }];
  });
}

function bounded(size: number, start: number, end: number, step: number) {
  const counted = (value: number) => (value < 0 ? value + size : value);
  const [least, most] = step > 0 ? [0, size] : [-1, size - 1];
  const clamp = (value: number, low: number) => Math.min(most, Math.max(low, value));
  const first = clamp(counted(start), step > 0 ? 0 : Math.min(0, most));
  const last = clamp(counted(end), least);
  return { start: first, length: Math.max(0, Math.ceil((last - first) / step)) };
}

/** A part of each axis. The gradient goes back to where the part came from, zeros around it. */
export const slice: Rule = {
  outputShapes(context) {
    const shape: Dimension[] = [...context.shape(0)];
    for (const { axis, length } of cutsOf(context)) shape[axis] = length;
    return [shape];
  },
  differentiable: firstInput,
  known(context) {
    const list = context.known(0);
    if (list?.dims.length !== 1) return undefined;
    const [cut] = cutsOf(context);
    if (!cut) return list;
    const values = Array.from({ length: cut.length }, (_, i) => list.values[cut.start + i * cut.step]);
    return { dims: [values.length], values };
  },
  gradients(context) {
    const { build, shape, outputGradient } = context;
    const cuts = cutsOf(context);
    const plain = cuts.filter(({ step, length }) => step === 1 && length > 0);
    let gradient = outputGradient;
    if (plain.length > 0) {
      const before = plain.map(({ start }) => start);
      const after = plain.map(({ size, start, length }) => size - start - length);
      const axes = build.ints(plain.map(({ axis }) => axis));
      gradient = build.node('Pad', [gradient, build.ints([...before, ...after]), '', axes]);
    }
    // Steps: one axis at a time, into zeros of the input's size on it.
    for (const { axis, size, start, step, length } of cuts.filter((cut) => !plain.includes(cut))) {
      requireFewConstants(context.node, length);
      const sizes = build.node('Shape', [gradient]);
      gradient = scatterRows(build, {
        sizes: build.node('ScatterElements', [sizes, build.ints([axis]), build.ints([size])]),
        rank: shape(0).length,
        axis,
        indices: build.ints(Array.from({ length }, (_, i) => start + i * step)),
        indexRank: 1,
        gradient,
      });
    }
    return [gradient];
  },
};

interface Padding {
  readonly axes: readonly number[];
  readonly before: readonly number[];
  readonly after: readonly number[];
}

function paddingOf(context: ShapeContext): Padding {
  const { node, shape, known } = context;
  const mode = stringAttribute(node, 'mode', 'constant');
  if (mode !== 'constant') throw unsupportedVariant(node, `mode=${mode}`, 'Pad with zeros or another constant.');
  const pads = intsOfKnown(known(1));
  if (!pads) throw unsupportedVariant(node, 'computed pads', 'Export with constant ones.');
  const axes = axesInput(context, 3, shape(0).length) ?? shape(0).map((_, axis) => axis);
  if (pads.length !== 2 * axes.length) throw illFitting(node, `${pads.length} pads for ${axes.length} axes`);
  return { axes, before: pads.slice(0, axes.length), after: pads.slice(axes.length) };
}

/** A constant around the input; a negative pad cuts off. The gradient is padded by as much the other way. */
export const pad: Rule = {
  outputShapes(context) {
    const { node, shape } = context;
    const { axes, before, after } = paddingOf(context);
    const padded: Dimension[] = [...shape(0)];
    axes.forEach((axis, i) => {
      const size = padded[axis];
      if (before[i] === 0 && after[i] === 0) return;
      if (typeof size !== 'number') throw unsupportedVariant(node, 'padding the batch', 'Keep its size.');
      if (size + before[i] + after[i] < 0) throw illFitting(node, `pads cut more than axis ${axis} of [${shape(0)}]`);
      padded[axis] = size + before[i] + after[i];
    });
    return [padded];
  },
  differentiable: firstInput,
  gradients(context) {
    const { build, outputGradient } = context;
    const { axes, before, after } = paddingOf(context);
    const back = [...before, ...after].map((amount) => (amount === 0 ? 0 : -amount));
    return [build.node('Pad', [outputGradient, build.ints(back), '', build.ints(axes)])];
  },
};
