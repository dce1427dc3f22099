import { FlError } from '../../core/errors.ts';
import type { Random } from '../../core/random.ts';
import { parseModel } from '../parse-model.ts';
import { trainableOf } from '../training/trainable.ts';

type Draw = (random: Random) => number;

/**
 * Starting values for a model's parameters, shape [layout.size], in layout order. PyTorch's defaults, by the parameter's name:
 * - `NAME.weight` of shape [out, in, ...] and `NAME.bias` of a Linear or Conv: uniform in +-1/sqrt(fan-in), where the fan-in is the product
 *   of the weight's axes after the first (He et al. 2015 with a = sqrt 5);
 * - `NAME.weight` and `NAME.bias` of one axis each, a normalisation: 1 and 0;
 * - `NAME.weight_ih`, `NAME.weight_hh` [directions, gates, hidden] and `NAME.bias_ih_hh`, recurrent: uniform in +-1/sqrt(hidden);
 * - `NAME.table`, an embedding: normal with a deviation of 0.02 (Radford et al. 2019).
 * Each tensor draws from its own fork.
 * @throws {FlError} `onnx-init-unknown` for a parameter under another name; what `parseModel` and `trainableOf` throw
 */
export function initialParams(forward: Uint8Array, random: Random): Float32Array {
  const { layout } = trainableOf(parseModel(forward).graph);
  const shapes = new Map(layout.tensors.map(({ name, shape }) => [name, shape]));
  const values = new Float32Array(layout.size);
  for (const { name, offset, size } of layout.tensors) {
    const draw = drawFor(name, shapes);
    if (!draw) {
      throw new FlError(
        'onnx-init-unknown',
        `"${name}" is no NAME.weight or NAME.bias of a layer: initialise the model before its export`,
      );
    }
    const stream = random.fork(name);
    for (let i = offset; i < offset + size; i++) values[i] = draw(stream);
  }
  return values;
}

function drawFor(name: string, shapes: ReadonlyMap<string, readonly number[]>): Draw | undefined {
  const [, layer, role] = /^(.*)\.(weight|bias|weight_ih|weight_hh|bias_ih_hh|table)$/.exec(name) ?? [];
  const within =
    (fanIn: number): Draw =>
    (random) =>
      (2 * random.next() - 1) / Math.sqrt(fanIn);
  if (role === 'table') return (random) => random.normal(0, 0.02);
  if (role === 'weight' || role === 'bias') {
    const weight = shapes.get(`${layer}.weight`);
    if (!weight || weight.length === 0 || weight.includes(0)) return undefined;
    if (weight.length === 1) return () => (role === 'weight' ? 1 : 0);
    return within(weight.slice(1).reduce((product, dimension) => product * dimension, 1));
  }
  const hidden = shapes.get(`${layer}.weight_hh`)?.[2];
  return hidden === undefined ? undefined : within(hidden);
}
