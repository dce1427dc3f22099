import { broadcast, type Shape } from '../shape.ts';
import { type GradientContext, illFitting, type Rule, type ShapeContext } from './rule.ts';
import { unbroadcast } from './unbroadcast.ts';

function broadcastShape({ node, shape }: ShapeContext): readonly Shape[] {
  const result = broadcast(shape(0), shape(1));
  if (!result) throw illFitting(node, `[${shape(0)}] and [${shape(1)}] do not broadcast`);
  return [result];
}

/** A binary rule from the gradient that each side gets at the broadcast shape. */
function binary(sides: readonly [left: Side, right: Side]): Rule {
  return {
    outputShapes: broadcastShape,
    gradients(context) {
      return sides.map((side, input) =>
        context.wants(input)
          ? unbroadcast(context.build, side(context), context.outputShape(), context.shape(input))
          : undefined,
      );
    },
  };
}

type Side = (context: GradientContext) => string;

const pass: Side = ({ outputGradient }) => outputGradient;
const negate: Side = ({ build, outputGradient }) => build.node('Neg', [outputGradient]);
const timesInput =
  (index: number): Side =>
  ({ build, outputGradient, input }) =>
    build.node('Mul', [outputGradient, input(index)]);

export const add = binary([pass, pass]);
export const sub = binary([pass, negate]);
export const mul = binary([timesInput(1), timesInput(0)]);
