import { intAttribute, intsAttribute } from '../attributes.ts';
import { ints } from '../graph-builder.ts';
import { float32Tensor } from '../tensor.ts';
import { type Rule, requireFewConstants, type ShapeContext, unsupportedVariant } from './rule.ts';
import { spatialSides, unreached, type Window, windowedShape, windowOf } from './window.ts';

/** The gradient holds a constant of the kernel's size and one of the output's. */
const mostCells = 2 ** 20;

function poolWindow(context: ShapeContext): Window {
  const { node } = context;
  const window = windowOf(context, intsAttribute(node, 'kernel_shape', []));
  const cells = Math.max(...[window.kernel, window.output].map((sides) => sides.reduce((a, b) => a * b, 1)));
  if (cells > mostCells)
    throw unsupportedVariant(node, `a window of ${cells} cells`, `At most ${mostCells} can be trained.`);
  // Counting what each window meets looks at every place of every window, axis by axis.
  for (const [axis, side] of window.kernel.entries()) requireFewConstants(node, side * window.output[axis]);
  return window;
}

/** Mean over 1-D to 3-D windows. Each element gets the shares of all windows that it lies in: a transposed convolution with ones. */
export const averagePool: Rule = {
  outputShapes: (context) => [windowedShape(context.shape(0)[0], context.shape(0)[1], poolWindow(context))],
  gradients(context) {
    const { build, node, input, outputGradient } = context;
    const window = poolWindow(context);
    const { kernel, strides, dilations, begin, end, output } = window;
    // A window that is rounded up reaches past the padding: what lies there is cut off, as the padding is.
    const short = unreached(window);
    const counts = intAttribute(node, 'count_include_pad', 0) !== 0 ? wholeCounts(window) : innerCounts(window);
    const shares = build.constant(
      'AveragePool/shares',
      float32Tensor(
        counts.map((count) => 1 / count),
        [1, 1, ...output],
      ),
    );
    const share = build.node('Mul', [outputGradient, shares]);
    const maps = build.node('Reshape', [share, build.ints([-1, 1, ...output])]);
    const size = kernel.reduce((product, side) => product * side, 1);
    const ones = build.constant('AveragePool/ones', float32Tensor(new Float32Array(size).fill(1), [1, 1, ...kernel]));
    const spread = build.node('ConvTranspose', [maps, ones], {
      strides: ints(strides),
      dilations: ints(dilations),
      pads: ints([...begin, ...end.map((pad, axis) => pad + Math.max(0, -short[axis]))]),
      output_padding: ints(short.map((side) => Math.max(0, side))),
    });
    return [build.node('Reshape', [spread, build.node('Shape', [input(0)])])];
  },
};

/** How many places each window has, within input and padding. */
function wholeCounts(window: Window): Float32Array {
  return countsWithin(window, (axis) => [0, window.begin[axis] + window.input[axis] + window.end[axis]]);
}

/** How many elements of the input itself each window meets. */
function innerCounts(window: Window): Float32Array {
  return countsWithin(window, (axis) => [window.begin[axis], window.begin[axis] + window.input[axis]]);
}

/** @param bounds first place, and the one after the last, that count along an axis */
function countsWithin(
  { kernel, strides, dilations, output }: Window,
  bounds: (axis: number) => readonly [number, number],
): Float32Array {
  let counts = [1];
  output.forEach((length, axis) => {
    const [first, past] = bounds(axis);
    const along = Array.from({ length }, (_, position) => {
      const places = Array.from(
        { length: kernel[axis] },
        (_, cell) => position * strides[axis] + cell * dilations[axis],
      );
      return places.filter((place) => place >= first && place < past).length;
    });
    counts = counts.flatMap((count) => along.map((more) => count * more));
  });
  return Float32Array.from(counts);
}

function globalShape({ shape, ...context }: ShapeContext) {
  spatialSides({ shape, ...context });
  return [
    [
      ...shape(0).slice(0, 2),
      ...shape(0)
        .slice(2)
        .map(() => 1),
    ],
  ];
}

/** Mean over all positions. */
export const globalAveragePool: Rule = {
  outputShapes: globalShape,
  gradients(context) {
    const { build, input, outputGradient } = context;
    const positions = spatialSides(context).reduce((product, side) => product * side, 1);
    const share = build.node('Mul', [outputGradient, build.float(1 / positions)]);
    return [build.node('Expand', [share, build.node('Shape', [input(0)])])];
  },
};

/** Maximum over all positions: the gradient goes to the first of them, as PyTorch's adaptive_max_pool does. */
export const globalMaxPool: Rule = {
  outputShapes: globalShape,
  gradients(context) {
    const { build, input, outputGradient } = context;
    const sides = spatialSides(context);
    const flat = build.node('Reshape', [input(0), build.ints([0, 0, -1])]);
    const place = build.node('ArgMax', [flat], { axis: { kind: 'int', value: 2 } });
    const row = build.node('Reshape', [outputGradient, build.ints([0, 0, 1])]);
    const zeros = build.node('ConstantOfShape', [build.node('Shape', [flat])]);
    const placed = build.node('ScatterElements', [zeros, place, row], { axis: { kind: 'int', value: 2 } });
    return [sides.length === 1 ? placed : build.node('Reshape', [placed, build.node('Shape', [input(0)])])];
  },
};
