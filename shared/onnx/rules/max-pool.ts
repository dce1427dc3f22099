import { intAttribute, intsAttribute } from '../attributes.ts';
import { int, ints, text } from '../graph-builder.ts';
import { float32Tensor } from '../tensor.ts';
import { masked } from './masked.ts';
import { type GradientContext, type Rule, requireFewConstants, type ShapeContext, unsupportedVariant } from './rule.ts';
import { type Window, windowedShape, windowOf } from './window.ts';

/** Maximum over 1-D to 3-D windows. The gradient goes to the element that the forward pass chose: on a tie, the first. */
export const maxPool: Rule = {
  outputShapes(context) {
    const { node, shape } = context;
    if (intAttribute(node, 'storage_order', 0) !== 0) {
      throw unsupportedVariant(node, 'storage_order=1', 'Export with row-major indices.');
    }
    const output = windowedShape(shape(0)[0], shape(0)[1], poolWindow(context));
    return node.outputs.length > 1 ? [output, output] : [output];
  },

  gradients(context) {
    const window = poolWindow(context);
    return [context.wants(0) ? (isDisjoint(window) ? unpooled(context, window) : scattered(context)) : undefined];
  },
};

function poolWindow(context: ShapeContext): Window {
  const kernel = intsAttribute(context.node, 'kernel_shape', []);
  const window = windowOf(context, kernel);
  if (mayMissTheInput(window)) {
    throw unsupportedVariant(
      context.node,
      'a window that may lie in the padding alone',
      'Pad by less than the kernel.',
    );
  }
  return window;
}

/** onnxruntime too wants less padding than kernel. */
function mayMissTheInput({ kernel, dilations, begin, end, input }: Window): boolean {
  return kernel.some((_, axis) => {
    const pad = Math.max(begin[axis], end[axis]);
    return pad >= kernel[axis] || (pad > 0 && input[axis] < dilations[axis]);
  });
}

/** Windows that share no element and leave none out at the ends. */
function isDisjoint({ kernel, strides, dilations, begin, end, input }: Window): boolean {
  return kernel.every(
    (side, axis) =>
      side === strides[axis] &&
      dilations[axis] === 1 &&
      begin[axis] === 0 &&
      end[axis] === 0 &&
      input[axis] % kernel[axis] === 0,
  );
}

/**
 * Each window's gradient, repeated over the window, where the element is the first that equals the maximum. Of the elements that equal it, the one
 * with the highest rank is the first: ranks count down to 1 within a window.
 * The operator's own indices say the same, but onnxruntime finds them 15 times slower than the maxima.
 */
function unpooled(
  { node, build, input, output, outputGradient }: GradientContext,
  { kernel, strides, output: windows }: Window,
) {
  const scales = build.floats([1, 1, ...kernel]);
  const repeated = (value: string) =>
    build.node('Resize', [value, '', scales], {
      mode: text('nearest'),
      coordinate_transformation_mode: text('asymmetric'),
      nearest_mode: text('floor'),
    });
  const cells = kernel.reduce((product, side) => product * side, 1);
  requireFewConstants(node, cells);
  const ranks = float32Tensor(
    Float32Array.from({ length: cells }, (_, cell) => cells - cell),
    [...kernel],
  );
  const ranksOfAll = build.node('Tile', [build.constant('MaxPool/ranks', ranks), build.ints(windows)]);
  const isLargest = build.node('Equal', [input(0), repeated(output(0))]);
  const candidates = masked(build, ranksOfAll, isLargest);
  const highest = build.node('MaxPool', [candidates], { kernel_shape: ints(kernel), strides: ints(strides) });
  const isFirst = build.node('Equal', [candidates, repeated(highest)]);
  return masked(build, repeated(outputGradient), isFirst);
}

/** An element may be the maximum of several windows: their gradients add up at its index into the flattened input. */
function scattered({ build, input, output, outputGradient }: GradientContext): string {
  const shape = build.node('Shape', [input(0)]);
  const flat = (value: string) => build.node('Reshape', [value, build.ints([-1])]);
  const zeros = build.node('ConstantOfShape', [build.node('ReduceProd', [shape], { keepdims: int(1) })]);
  const sums = build.node('ScatterElements', [zeros, flat(output(1)), flat(outputGradient)], {
    reduction: text('add'),
  });
  return build.node('Reshape', [sums, shape]);
}
