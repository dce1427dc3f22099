import { floatAttribute, intAttribute } from '../attributes.ts';
import { int } from '../graph-builder.ts';
import { axisOf, broadcast, type Shape, sameShape } from '../shape.ts';
import { normalised, throughNormalised } from './normalise.ts';
import { type GradientContext, illFitting, type Rule, type ShapeContext } from './rule.ts';
import { unbroadcast } from './unbroadcast.ts';

const defaultEpsilon = 1e-5;

/** The axes from `axis` to the last. */
function trailingAxes({ node, shape }: ShapeContext): readonly number[] {
  const rank = shape(0).length;
  const first = axisOf(intAttribute(node, 'axis', -1), rank);
  if (first === undefined) throw illFitting(node, `axis ${intAttribute(node, 'axis', -1)} is not one of [${shape(0)}]`);
  return Array.from({ length: rank - first }, (_, i) => first + i);
}

function checkedShapes(context: ShapeContext): readonly Shape[] {
  const { node, shape, has } = context;
  const axes = trailingAxes(context);
  for (const input of [1, 2].filter(has)) {
    const result = broadcast(shape(0), shape(input));
    if (!result || !sameShape(result, shape(0))) {
      throw illFitting(node, `input ${input} is [${shape(input)}], which does not broadcast to [${shape(0)}]`);
    }
  }
  const kept = shape(0).map((size, axis) => (axes.includes(axis) ? 1 : size));
  return [shape(0), kept, kept];
}

/** Scale and bias over the trailing axes, then the gradient through the normalisation itself. */
function affineGradients(context: GradientContext, normal: ReturnType<typeof normalised>) {
  const { build, shape, has, wants, input, outputGradient } = context;
  const sum = (value: string, to: number) => unbroadcast(build, value, shape(0), shape(to));
  return [
    wants(0) ? throughNormalised(build, build.node('Mul', [outputGradient, input(1)]), normal) : undefined,
    wants(1) ? sum(build.node('Mul', [outputGradient, normal.value]), 1) : undefined,
    has(2) && wants(2) ? sum(outputGradient, 2) : undefined,
  ];
}

/** Normalisation over the trailing axes, by the operator's own mean and inverse deviation. */
export const layerNormalization: Rule = {
  outputShapes: checkedShapes,
  gradients(context) {
    const { build, input, output } = context;
    const inverse = output(2);
    const value = build.node('Mul', [build.node('Sub', [input(0), output(1)]), inverse]);
    return affineGradients(context, { value, inverse, axes: trailingAxes(context), centred: true });
  },
};

/** Scaling to mean square 1 over the trailing axes. */
export const rmsNormalization: Rule = {
  outputShapes: (context) => checkedShapes(context).slice(0, 1),
  gradients(context) {
    const { node, build, input } = context;
    const epsilon = floatAttribute(node, 'epsilon', defaultEpsilon);
    return affineGradients(
      context,
      normalised(build, input(0), { axes: trailingAxes(context), epsilon, centred: false }),
    );
  },
};

/** x / norm along one axis, of order 1 or 2: (gy - sign(x) or y times sum(gy y)) / norm, 0 where the norm is 0. */
export const lpNormalization: Rule = {
  outputShapes({ node, shape }) {
    const order = intAttribute(node, 'p', 2);
    if (order !== 1 && order !== 2) throw illFitting(node, `p=${order}, expected 1 or 2`);
    if (axisOf(intAttribute(node, 'axis', -1), shape(0).length) === undefined) {
      throw illFitting(node, `axis ${intAttribute(node, 'axis', -1)} is not one of [${shape(0)}]`);
    }
    return [shape(0)];
  },
  gradients({ node, build, input, output, outputGradient }) {
    const axes = build.ints([intAttribute(node, 'axis', -1)]);
    const order = intAttribute(node, 'p', 2);
    const norm = build.node(order === 1 ? 'ReduceL1' : 'ReduceL2', [input(0), axes], { keepdims: int(1) });
    const along = build.node('ReduceSum', [build.node('Mul', [outputGradient, output(0)]), axes], { keepdims: int(1) });
    const direction = order === 1 ? build.node('Sign', [input(0)]) : output(0);
    const rest = build.node('Sub', [outputGradient, build.node('Mul', [direction, along])]);
    const isZero = build.node('Equal', [norm, build.float(0)]);
    return [build.node('Where', [isZero, build.float(0), build.node('Div', [rest, norm])])];
  },
};
