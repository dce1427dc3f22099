import { intAttribute } from '../attributes.ts';
import { int } from '../graph-builder.ts';
import { firstInput, illFitting, type Rule } from './rule.ts';

/** The upper or lower triangle of matrices; the gradient's own triangle. */
export const trilu: Rule = {
  outputShapes({ node, shape }) {
    if (shape(0).length < 2) throw illFitting(node, `[${shape(0)}] is no matrix`);
    return [shape(0)];
  },
  differentiable: firstInput,
  gradients: ({ node, build, has, input, outputGradient }) => [
    build.node('Trilu', has(1) ? [outputGradient, input(1)] : [outputGradient], {
      upper: int(intAttribute(node, 'upper', 1)),
    }),
  ],
};

/** Running sums along an axis; the gradient sums from the other end. */
export const cumSum: Rule = {
  outputShapes: ({ shape }) => [shape(0)],
  differentiable: firstInput,
  gradients: ({ node, build, input, outputGradient }) => [
    build.node('CumSum', [outputGradient, input(1)], {
      exclusive: int(intAttribute(node, 'exclusive', 0)),
      reverse: int(1 - intAttribute(node, 'reverse', 0)),
    }),
  ],
};
