import { floatAttribute, intAttribute } from '../attributes.ts';
import { int } from '../graph-builder.ts';
import { meanOver, normalised, throughNormalised } from './normalise.ts';
import { type GradientContext, illFitting, type Rule, type ShapeContext } from './rule.ts';

const defaultEpsilon = 1e-5;

/** Every axis but the channels'. */
function pooledAxes({ shape }: ShapeContext): readonly number[] {
  return shape(0).flatMap((_, axis) => (axis === 1 ? [] : [axis]));
}

/** A value [C] beside [batch, C, ...]. */
function byChannel({ build, shape }: GradientContext, value: string): string {
  const axes = shape(0)
    .slice(2)
    .map((_, axis) => axis + 1);
  return axes.length === 0 ? value : build.node('Unsqueeze', [value, build.ints(axes)]);
}

/**
 * Normalisation by the batch's own statistics (training_mode=1), or by the running ones, which are then constants (frozen).
 * The running statistics get no gradient; `runningStatistics` says what a step makes of them.
 */
export const batchNormalization: Rule = {
  outputShapes({ node, shape }) {
    const channels = shape(0)[1];
    for (const input of [1, 2, 3, 4]) {
      const list = shape(input);
      if (list.length !== 1 || list[0] !== channels) {
        throw illFitting(node, `input ${input} is [${list}], expected [${channels}] for X of [${shape(0)}]`);
      }
    }
    return [shape(0), shape(3), shape(4)];
  },
  differentiable: (input) => input < 3,
  gradients(context) {
    const { node, build, wants, input, output, outputGradient } = context;
    const axes = pooledAxes(context);
    const epsilon = floatAttribute(node, 'epsilon', defaultEpsilon);
    const scaled = () => build.node('Mul', [outputGradient, byChannel(context, input(1))]);
    const sum = (value: string) => build.node('ReduceSum', [value, build.ints(axes)], { keepdims: int(0) });
    const bias = () => sum(outputGradient);

    if (intAttribute(node, 'training_mode', 0) !== 0) {
      // The operator insists on all its outputs in training.
      for (const statistic of [1, 2]) output(statistic);
      const normal = normalised(build, input(0), { axes, epsilon });
      const scale = () => sum(build.node('Mul', [outputGradient, normal.value]));
      return [
        wants(0) ? throughNormalised(build, scaled(), normal) : undefined,
        wants(1) ? scale() : undefined,
        wants(2) ? bias() : undefined,
      ];
    }
    const deviation = build.node('Sqrt', [build.node('Add', [input(4), build.float(epsilon)])]);
    const inverse = byChannel(context, build.node('Reciprocal', [deviation]));
    const scale = () => {
      const shifted = build.node('Sub', [input(0), byChannel(context, input(3))]);
      return sum(build.node('Mul', [outputGradient, build.node('Mul', [shifted, inverse])]));
    };
    return [
      wants(0) ? build.node('Mul', [scaled(), inverse]) : undefined,
      wants(1) ? scale() : undefined,
      wants(2) ? bias() : undefined,
    ];
  },
};

/**
 * The running mean and variance after a step, as PyTorch keeps them: old * momentum + new * (1 - momentum), the variance unbiased.
 * The operator's own second and third outputs take the biased variance.
 */
export function updatedStatistics(context: ShapeContext & Pick<GradientContext, 'build' | 'input'>): {
  readonly mean: string;
  readonly variance: string;
} {
  const { node, build, input } = context;
  const axes = pooledAxes(context);
  const momentum = floatAttribute(node, 'momentum', 0.9);
  const mean = meanOver(build, input(0), axes);
  const shifted = build.node('Sub', [input(0), mean]);
  const total = build.node('ReduceSum', [build.node('Mul', [shifted, shifted]), build.ints(axes)], {
    keepdims: int(0),
  });
  const sizes = build.node('Gather', [build.node('Shape', [input(0)]), build.ints(axes)]);
  const count = build.node('Cast', [build.node('ReduceProd', [sizes], { keepdims: int(0) })], { to: int(1) });
  const others = build.node('Max', [build.node('Sub', [count, build.float(1)]), build.float(1)]);
  const moved = (old: string, fresh: string) =>
    build.node('Add', [
      build.node('Mul', [old, build.float(momentum)]),
      build.node('Mul', [fresh, build.float(1 - momentum)]),
    ]);
  return {
    mean: moved(input(3), build.node('Squeeze', [mean, build.ints(axes)])),
    variance: moved(input(4), build.node('Div', [total, others])),
  };
}
