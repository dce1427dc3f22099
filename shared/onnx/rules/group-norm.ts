import { floatAttribute, intAttribute } from '../attributes.ts';
import { int } from '../graph-builder.ts';
import { normalised, throughNormalised } from './normalise.ts';
import { type GradientContext, illFitting, type Rule, type ShapeContext, unsupportedVariant } from './rule.ts';

const defaultEpsilon = 1e-5;

function checkedShape({ node, shape }: ShapeContext) {
  const channels = shape(0)[1];
  if (shape(0).length < 3 || typeof channels !== 'number') {
    throw illFitting(node, `X is [${shape(0)}], expected [batch, channels, one side or more]`);
  }
  for (const input of [1, 2]) {
    const list = shape(input);
    if (list.length !== 1 || list[0] !== channels) {
      throw unsupportedVariant(
        node,
        `input ${input} of [${list}]`,
        `Export with operator set 21 or newer: [${channels}].`,
      );
    }
  }
  return [shape(0)];
}

/** Normalisation over each group of channels and all positions; `groups` of undefined: each channel by itself. */
function gradients(context: GradientContext, groups: number | undefined) {
  const { node, build, wants, shape, input, outputGradient } = context;
  const epsilon = floatAttribute(node, 'epsilon', defaultEpsilon);
  const spatial = shape(0)
    .slice(2)
    .map((_, axis) => axis + 2);
  const byChannel = (value: string) => build.node('Unsqueeze', [value, build.ints(spatial.map((axis) => axis - 1))]);
  const sum = (value: string) => build.node('ReduceSum', [value, build.ints([0, ...spatial])], { keepdims: int(0) });
  const regrouped = (value: string) =>
    groups === undefined ? value : build.node('Reshape', [value, build.ints([0, groups, -1])]);
  const back = (value: string) =>
    groups === undefined ? value : build.node('Reshape', [value, build.node('Shape', [input(0)])]);

  const axes = groups === undefined ? spatial : [2];
  const normal = normalised(build, regrouped(input(0)), { axes, epsilon });
  const scaled = () => regrouped(build.node('Mul', [outputGradient, byChannel(input(1))]));
  return [
    wants(0) ? back(throughNormalised(build, scaled(), normal)) : undefined,
    wants(1) ? sum(build.node('Mul', [outputGradient, back(normal.value)])) : undefined,
    wants(2) ? sum(outputGradient) : undefined,
  ];
}

export const instanceNormalization: Rule = {
  outputShapes: checkedShape,
  gradients: (context) => gradients(context, undefined),
};

export const groupNormalization: Rule = {
  outputShapes(context) {
    const groups = intAttribute(context.node, 'num_groups', 0);
    const channels = Number(context.shape(0)[1]);
    if (groups < 1 || channels % groups !== 0)
      throw illFitting(context.node, `${groups} groups of ${channels} channels`);
    return checkedShape(context);
  },
  gradients: (context) => gradients(context, intAttribute(context.node, 'num_groups', 1)),
};
