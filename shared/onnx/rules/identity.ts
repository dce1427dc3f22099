import type { Rule } from './rule.ts';

export const identity: Rule = {
  outputShapes: ({ shape }) => [shape(0)],
  gradients: ({ outputGradient }) => [outputGradient],
};
