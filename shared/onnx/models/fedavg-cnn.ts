import { GraphBuilder, int, ints } from '../graph-builder.ts';
import { dense, forwardModel, parameter, requireSizes } from './forward-model.ts';

/** Sizes of the CNN. `filters` and `hidden` are the paper's unless given. */
export interface FedAvgCnnShape {
  readonly channels?: number;
  readonly height: number;
  readonly width: number;
  readonly classes: number;
  readonly filters?: readonly [number, number];
  readonly hidden?: number;
}

/**
 * The MNIST CNN of McMahan et al. 2017 (arXiv:1602.05629, section 3): two 5x5 convolutions of 32 and 64 filters, each with ReLU and 2x2 max
 * pooling, a dense layer of 512 with ReLU, and the output layer; 1,663,370 parameters for 28x28 and 10 classes.
 * X [batch, channels, height, width] -> logits [batch, classes]. Parameters `conv1`, `conv2`, `dense1`, `dense2`, all zero.
 * @throws {RangeError} on a size that is not a positive integer, or sides that two poolings do not halve twice
 */
export function fedAvgCnn(shape: FedAvgCnnShape): Uint8Array {
  const { channels = 1, height, width, classes, filters = [32, 64], hidden = 512 } = shape;
  requireSizes({ channels, height, width, classes, 'filters[0]': filters[0], 'filters[1]': filters[1], hidden });
  if (height % 4 !== 0 || width % 4 !== 0)
    throw new RangeError(`height, width: expected multiples of 4, got ${height}, ${width}`);
  const build = new GraphBuilder();
  build.reserve('logits');
  build.reserve('X');
  let value = build.input('X', 'float32', ['batch', channels, height, width]);
  value = convolution(build, 'conv1', value, channels, filters[0]);
  value = convolution(build, 'conv2', value, filters[0], filters[1]);
  value = build.node('Flatten', [value], { axis: int(1) }, 'flatten');
  value = dense(build, 'dense1', value, filters[1] * (height / 4) * (width / 4), hidden);
  value = build.node('Relu', [value], {}, 'relu');
  value = dense(build, 'dense2', value, hidden, classes);
  build.output(value, 'logits', 'float32', ['batch', classes]);
  return forwardModel(build.graph('fedavg_cnn'));
}

function convolution(build: GraphBuilder, name: string, x: string, inputs: number, outputs: number): string {
  const weight = parameter(build, `${name}.weight`, [outputs, inputs, 5, 5]);
  const bias = parameter(build, `${name}.bias`, [outputs]);
  const convolved = build.node(
    'Conv',
    [x, weight, bias],
    { kernel_shape: ints([5, 5]), pads: ints([2, 2, 2, 2]) },
    name,
  );
  const active = build.node('Relu', [convolved], {}, `${name}/relu`);
  return build.node('MaxPool', [active], { kernel_shape: ints([2, 2]), strides: ints([2, 2]) }, `${name}/pool`);
}
