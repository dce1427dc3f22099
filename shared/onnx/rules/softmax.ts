import { intAttribute } from '../attributes.ts';
import { int } from '../graph-builder.ts';
import { axisOf } from '../shape.ts';
import { type GradientContext, illFitting, type Rule, type ShapeContext } from './rule.ts';

function checkedShape({ node, shape }: ShapeContext) {
  const axis = intAttribute(node, 'axis', -1);
  if (axisOf(axis, shape(0).length) === undefined) throw illFitting(node, `axis ${axis} is not one of [${shape(0)}]`);
  return [shape(0)];
}

function sumOver({ build, node }: GradientContext, value: string): string {
  return build.node('ReduceSum', [value, build.ints([intAttribute(node, 'axis', -1)])], { keepdims: int(1) });
}

/** y (gy - sum(y gy)) */
export const softmax: Rule = {
  outputShapes: checkedShape,
  gradients(context) {
    const { build, output, outputGradient } = context;
    const weighted = build.node('Mul', [output(0), outputGradient]);
    return [build.node('Sub', [weighted, build.node('Mul', [output(0), sumOver(context, weighted)])])];
  },
};

/** gy - exp(y) sum(gy) */
export const logSoftmax: Rule = {
  outputShapes: checkedShape,
  gradients(context) {
    const { build, output, outputGradient } = context;
    const share = build.node('Mul', [build.node('Exp', [output(0)]), sumOver(context, outputGradient)]);
    return [build.node('Sub', [outputGradient, share])];
  },
};
