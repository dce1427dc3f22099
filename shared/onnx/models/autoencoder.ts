import { GraphBuilder } from '../graph-builder.ts';
import { dense, forwardModel, requireSizes } from './forward-model.ts';

/** Sizes of an autoencoder; `hidden` lists the encoder's widths, the code last: the decoder mirrors them. */
export interface AutoencoderShape {
  readonly features: number;
  readonly hidden: readonly number[];
}

/**
 * Dense layers down to a code and up again, ReLU between them and none on the output: X [batch, features] -> [batch, features]. Parameters
 * `encoder1.weight`, `encoder1.bias`, ..., `decoder1.weight`, ..., all zero. Train it with a regression loss whose target is the features.
 * @throws {RangeError} on a size that is not a positive integer, or without a hidden layer
 */
export function autoencoder({ features, hidden }: AutoencoderShape): Uint8Array {
  requireSizes({
    features,
    layers: hidden.length,
    ...Object.fromEntries(hidden.map((width, i) => [`hidden[${i}]`, width])),
  });
  const build = new GraphBuilder();
  build.reserve('reconstruction');
  build.reserve('X');
  const down = [features, ...hidden];
  const up = down.toReversed();
  let value = build.input('X', 'float32', ['batch', features]);
  for (const [side, widths] of [['encoder', down] as const, ['decoder', up] as const]) {
    for (let layer = 1; layer < widths.length; layer++) {
      value = dense(build, `${side}${layer}`, value, widths[layer - 1], widths[layer]);
      const isOutput = side === 'decoder' && layer === widths.length - 1;
      if (!isOutput) value = build.node('Relu', [value], {}, `${side}${layer}/relu`);
    }
  }
  build.output(value, 'reconstruction', 'float32', ['batch', features]);
  return forwardModel(build.graph('autoencoder'));
}
