import { intAttribute, intsAttribute } from '../attributes.ts';
import { int, ints } from '../graph-builder.ts';
import { convWeightGradient } from './conv-weight-gradient.ts';
import { type GradientContext, illFitting, type Rule, type ShapeContext, unsupportedVariant } from './rule.ts';
import { type Window, windowedShape, windowOf } from './window.ts';

/** The weight's gradient has a few nodes for each kernel cell. */
const mostCells = 1024;

/** 2-D convolution without groups: X [batch, C, H, W], W [O, C, kH, kW], optional bias [O]. */
export const conv: Rule = {
  outputShapes(context) {
    const { node, shape } = context;
    const weight = shape(1);
    const window = convWindow(context);
    if (intAttribute(node, 'group', 1) !== 1) {
      throw unsupportedVariant(node, 'a grouped convolution', 'Use group=1, or freeze the layers up to it.');
    }
    if (shape(0)[1] !== weight[1]) throw illFitting(node, `X is [${shape(0)}], W is [${weight}]: channels differ`);
    if (node.inputs.length > 2 && node.inputs[2] !== '') {
      const bias = shape(2);
      if (bias.length !== 1 || bias[0] !== weight[0])
        throw illFitting(node, `bias is [${bias}], expected [${weight[0]}]`);
    }
    return [windowedShape(shape(0)[0], weight[0], window)];
  },

  gradients(context) {
    const { build, node, wants, outputGradient } = context;
    const window = convWindow(context);
    const hasBias = node.inputs.length > 2 && node.inputs[2] !== '';
    return [
      wants(0) ? inputGradient(context, window) : undefined,
      wants(1) ? convWeightGradient(context, window) : undefined,
      hasBias && wants(2)
        ? build.node('ReduceSum', [outputGradient, build.ints([0, 2, 3])], { keepdims: int(0) })
        : undefined,
    ];
  },
};

/** The transposed convolution. Rows and columns that no window reached are its output padding, and get zero. */
function inputGradient({ build, input, outputGradient }: GradientContext, window: Window): string {
  const { kernel, strides, dilations, begin, end } = window;
  const unreached = [0, 1].map((axis) => {
    const room = window.input[axis] + begin[axis] + end[axis] - dilations[axis] * (kernel[axis] - 1) - 1;
    return room % strides[axis];
  });
  return build.node('ConvTranspose', [outputGradient, input(1)], {
    strides: ints(strides),
    dilations: ints(dilations),
    pads: ints([...begin, ...end]),
    output_padding: ints(unreached),
  });
}

function convWindow(context: ShapeContext): Window {
  const { node, shape } = context;
  const [, , height, width] = shape(1);
  if (shape(1).length !== 4 || typeof height !== 'number' || typeof width !== 'number') {
    throw unsupportedVariant(node, `a weight of shape [${shape(1)}]`, 'Use [out, in, height, width].');
  }
  const kernel = intsAttribute(node, 'kernel_shape', [height, width]);
  if (kernel[0] !== height || kernel[1] !== width) {
    throw illFitting(node, `kernel_shape [${kernel}] differs from the weight's [${height},${width}]`);
  }
  if (height * width > mostCells) {
    throw unsupportedVariant(node, `a kernel of ${height} x ${width}`, `At most ${mostCells} cells can be trained.`);
  }
  return windowOf(context, [height, width]);
}
