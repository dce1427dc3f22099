import { firstInput, type Rule, unsupportedVariant } from './rule.ts';

export const identity: Rule = {
  outputShapes: ({ shape }) => [shape(0)],
  known: ({ known }) => known(0),
  gradients: ({ outputGradient }) => [outputGradient],
};

/**
 * As it stands for inference, the identity. With a constant training_mode of true, gy / (1 - ratio) where the operator's own mask holds:
 * a trainer that wants the same mask for the same seed replaces the node by a product first.
 */
export const dropout: Rule = {
  outputShapes: ({ shape }) => [shape(0), shape(0)],
  differentiable: firstInput,
  gradients(context) {
    const { node, build, has, constant, input, output, outputGradient } = context;
    const mode = constant(2);
    if (!has(2) || (mode && mode.data[0] === 0)) return [outputGradient];
    if (!mode) throw unsupportedVariant(node, 'a computed training_mode', 'Export with a constant one.');
    const ratio = has(1) ? input(1) : build.float(0.5);
    const kept = build.node('Div', [outputGradient, build.node('Sub', [build.float(1), ratio])]);
    return [build.node('Where', [output(1), kept, build.float(0)])];
  },
};
