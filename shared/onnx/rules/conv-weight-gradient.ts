import { type GraphBuilder, int, ints } from '../graph-builder.ts';
import type { GradientContext } from './rule.ts';
import type { Window } from './window.ts';

/** From this many input channels on, one Gemm for each kernel cell beats gathering all cells into one matrix. */
const channelsForGemmPerCell = 8;

/**
 * dW[o,c,i,j] = sum over examples and positions of dY[n,o,y,x] * X[n,c, y*stride + i*dilation - pad, x*...].
 * For each kernel cell (i,j) that is one matrix product of dY as [O, positions] with a shifted slice of X as [C, positions].
 * A convolution with dY as its kernel says the same in one node, and runs 3 to 11 times slower.
 */
export function convWeightGradient({ build, input, shape, outputGradient }: GradientContext, window: Window): string {
  const [outputs, channels, height, width] = shape(1).map(Number);
  const cells = height * width;
  // Channels first, so that the positions of all examples lie in one row: [O, batch * positions] and [C, batch, H, W].
  const gradient = rows(build, channelsFirst(build, outputGradient), outputs);
  const slices = shiftedSlices(build, padded(build, channelsFirst(build, input(0)), window), window);

  if (channels < channelsForGemmPerCell) {
    const gathered = rows(build, build.node('Concat', slices, { axis: int(0) }), cells * channels);
    const product = build.node('Gemm', [gradient, gathered], { transB: int(1) });
    return cellsLast(build, product, [outputs, cells, channels], [0, 2, 1], [outputs, channels, height, width]);
  }
  const products = slices.map((slice) =>
    build.node('Gemm', [gradient, rows(build, slice, channels)], { transB: int(1) }),
  );
  const stacked = build.node('Concat', products, { axis: int(0) });
  return cellsLast(build, stacked, [cells, outputs, channels], [1, 2, 0], [outputs, channels, height, width]);
}

function channelsFirst(build: GraphBuilder, value: string): string {
  return build.node('Transpose', [value], { perm: ints([1, 0, 2, 3]) });
}

function rows(build: GraphBuilder, value: string, count: number): string {
  return build.node('Reshape', [value, build.ints([count, -1])]);
}

function cellsLast(
  build: GraphBuilder,
  value: string,
  as: readonly number[],
  order: readonly number[],
  to: readonly number[],
): string {
  const split = build.node('Reshape', [value, build.ints(as)]);
  return build.node('Reshape', [build.node('Transpose', [split], { perm: ints(order) }), build.ints(to)]);
}

function padded(build: GraphBuilder, value: string, { begin, end }: Window): string {
  if ([...begin, ...end].every((pad) => pad === 0)) return value;
  return build.node('Pad', [value, build.ints([0, 0, ...begin, 0, 0, ...end])]);
}

/** For each kernel cell in row-major order, the input elements that it meets: [C, batch, height out, width out]. */
function shiftedSlices(build: GraphBuilder, value: string, { kernel, strides, dilations, output }: Window): string[] {
  const slices: string[] = [];
  const axes = build.ints([2, 3]);
  for (let i = 0; i < kernel[0]; i++) {
    for (let j = 0; j < kernel[1]; j++) {
      const start = [i * dilations[0], j * dilations[1]];
      const end = start.map((from, axis) => from + (output[axis] - 1) * strides[axis] + 1);
      slices.push(build.node('Slice', [value, build.ints(start), build.ints(end), axes, build.ints(strides)]));
    }
  }
  return slices;
}
