import { GraphBuilder } from '../graph-builder.ts';
import { dense, forwardModel, requireSizes } from './forward-model.ts';

/** Sizes of a multilayer perceptron; `hidden` lists the hidden layers' widths. */
export interface MlpShape {
  readonly features: number;
  readonly hidden: readonly number[];
  readonly classes: number;
}

/**
 * Dense layers with ReLU between them: X [batch, features] -> logits [batch, classes]. Parameters `dense1.weight`, `dense1.bias`, ...,
 * all zero. McMahan et al. 2017 (arXiv:1602.05629) call it 2NN with `hidden: [200, 200]`.
 * @throws {RangeError} on a size that is not a positive integer
 */
export function mlp({ features, hidden, classes }: MlpShape): Uint8Array {
  requireSizes({ features, classes, ...Object.fromEntries(hidden.map((width, i) => [`hidden[${i}]`, width])) });
  const build = new GraphBuilder();
  const widths = [features, ...hidden, classes];
  build.reserve('logits');
  build.reserve('X');
  let value = build.input('X', 'float32', ['batch', features]);
  for (let layer = 1; layer < widths.length; layer++) {
    value = dense(build, `dense${layer}`, value, widths[layer - 1], widths[layer]);
    if (layer < widths.length - 1) value = build.node('Relu', [value], {}, `relu${layer}`);
  }
  build.output(value, 'logits', 'float32', ['batch', classes]);
  return forwardModel(build.graph('mlp'));
}
