import { FlError } from '../../core/errors.ts';
import type { Random } from '../../core/random.ts';
import { parseModel } from '../parse-model.ts';
import { trainableOf } from '../training/trainable.ts';

/**
 * Starting values for a model's parameters, shape [layout.size], in layout order.
 * PyTorch's default for Linear and Conv: `NAME.weight` of shape [out, in, ...] and `NAME.bias` both uniform in +-1/sqrt(fan-in), where the
 * fan-in is the product of the weight's axes after the first (He et al. 2015 with a = sqrt 5). Each tensor draws from its own fork.
 * @throws {FlError} `onnx-init-unknown` for a parameter under another name; what `parseModel` and `trainableOf` throw
 */
export function initialParams(forward: Uint8Array, random: Random): Float32Array {
  const { layout } = trainableOf(parseModel(forward).graph);
  const shapes = new Map(layout.tensors.map(({ name, shape }) => [name, shape]));
  const values = new Float32Array(layout.size);
  for (const { name, offset, size } of layout.tensors) {
    const weight = shapes.get(name.replace(/\.bias$/, '.weight'));
    if (!/\.(weight|bias)$/.test(name) || !weight || weight.length < 2 || weight.includes(0)) {
      throw new FlError(
        'onnx-init-unknown',
        `"${name}" is no NAME.weight or NAME.bias of a layer: initialise the model before its export`,
      );
    }
    const bound = 1 / Math.sqrt(weight.slice(1).reduce((product, dimension) => product * dimension, 1));
    const stream = random.fork(name);
    for (let i = offset; i < offset + size; i++) values[i] = (2 * stream.next() - 1) * bound;
  }
  return values;
}
