import type { GradientContext, Rule } from './rule.ts';

/** A rule for an elementwise function of one input, from its gradient. */
function activation(gradient: (context: GradientContext) => string): Rule {
  return { outputShapes: ({ shape }) => [shape(0)], gradients: (context) => [gradient(context)] };
}

/** gy where y > 0, else 0; at 0 itself PyTorch's subgradient, 0. */
export const relu = activation(({ build, outputGradient, output }) =>
  build.node('Where', [build.node('Greater', [output(0), build.float(0)]), outputGradient, build.float(0)]),
);

/** gy y (1 - y) */
export const sigmoid = activation(({ build, outputGradient, output }) => {
  const slope = build.node('Mul', [output(0), build.node('Sub', [build.float(1), output(0)])]);
  return build.node('Mul', [outputGradient, slope]);
});

/** gy (1 - y^2) */
export const tanh = activation(({ build, outputGradient, output }) => {
  const square = build.node('Mul', [output(0), output(0)]);
  return build.node('Mul', [outputGradient, build.node('Sub', [build.float(1), square])]);
});
