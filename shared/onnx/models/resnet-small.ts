import { GraphBuilder, int, ints } from '../graph-builder.ts';
import { dense, forwardModel, parameter, requireSizes } from './forward-model.ts';

/** Sizes of a small residual network. `filters` are those of the three stages, 16, 32 and 64 unless given. */
export interface ResNetSmallShape {
  readonly channels?: number;
  readonly height: number;
  readonly width: number;
  readonly classes: number;
  readonly filters?: readonly [number, number, number];
  /** Residual blocks in each stage; 1 makes ResNet-8, 3 ResNet-20. */
  readonly blocks?: number;
}

interface Convolution {
  readonly name: string;
  readonly inputs: number;
  readonly outputs: number;
  readonly kernel: 1 | 3;
  readonly stride: 1 | 2;
}

/**
 * The CIFAR residual network of He et al. 2016 (arXiv:1512.03385, section 4.2), of 6 blocks + 2 layers, with GroupNorm in place of
 * BatchNorm: running statistics of unlike clients do not average well (Hsieh et al. 2020, arXiv:1910.00189). A shortcut that changes its
 * shape is a 1x1 convolution. X [batch, channels, height, width] -> logits [batch, classes].
 * @throws {RangeError} on a size that is not a positive integer, or filters that are no multiples of 4
 */
export function resNetSmall(shape: ResNetSmallShape): Uint8Array {
  const { channels = 3, height, width, classes, filters = [16, 32, 64], blocks = 1 } = shape;
  requireSizes({
    channels,
    height,
    width,
    classes,
    blocks,
    ...Object.fromEntries(filters.map((f, i) => [`filters[${i}]`, f])),
  });
  const odd = filters.find((count) => count % 4 !== 0);
  if (odd !== undefined) throw new RangeError(`filters: expected multiples of 4, got ${odd}`);
  const build = new GraphBuilder();
  build.reserve('logits');
  build.reserve('X');
  let value = build.input('X', 'float32', ['batch', channels, height, width]);
  value = normalisedConvolution(build, value, {
    name: 'stem',
    inputs: channels,
    outputs: filters[0],
    kernel: 3,
    stride: 1,
  });
  value = build.node('Relu', [value], {}, 'stem/relu');
  let inputs = filters[0];
  for (const [stage, outputs] of filters.entries()) {
    for (let block = 1; block <= blocks; block++) {
      const stride = stage > 0 && block === 1 ? 2 : 1;
      value = residualBlock(build, value, {
        name: `stage${stage + 1}.block${block}`,
        inputs,
        outputs,
        kernel: 3,
        stride,
      });
      inputs = outputs;
    }
  }
  value = build.node('GlobalAveragePool', [value], {}, 'pool');
  value = build.node('Flatten', [value], { axis: int(1) }, 'flatten');
  value = dense(build, 'dense', value, inputs, classes);
  build.output(value, 'logits', 'float32', ['batch', classes]);
  return forwardModel(build.graph('resnet_small'), 21);
}

function residualBlock(build: GraphBuilder, x: string, block: Convolution): string {
  const { name, inputs, outputs, stride } = block;
  let value = normalisedConvolution(build, x, { ...block, name: `${name}.conv1` });
  value = build.node('Relu', [value], {}, `${name}/relu1`);
  value = normalisedConvolution(build, value, {
    name: `${name}.conv2`,
    inputs: outputs,
    outputs,
    kernel: 3,
    stride: 1,
  });
  const isSame = inputs === outputs && stride === 1;
  const shortcut = isSame
    ? x
    : normalisedConvolution(build, x, { name: `${name}.shortcut`, inputs, outputs, kernel: 1, stride });
  return build.node('Relu', [build.node('Add', [value, shortcut], {}, `${name}/add`)], {}, `${name}/relu2`);
}

/** A convolution without bias, and GroupNorm of 4 groups. */
function normalisedConvolution(build: GraphBuilder, x: string, convolution: Convolution): string {
  const { name, inputs, outputs, kernel, stride } = convolution;
  const weight = parameter(build, `${name}.weight`, [outputs, inputs, kernel, kernel]);
  const side = (kernel - 1) / 2;
  const attributes = {
    kernel_shape: ints([kernel, kernel]),
    pads: ints([side, side, side, side]),
    strides: ints([stride, stride]),
  };
  const convolved = build.node('Conv', [x, weight], attributes, name);
  const scale = parameter(build, `${name}.norm.weight`, [outputs], 1);
  const bias = parameter(build, `${name}.norm.bias`, [outputs]);
  return build.node('GroupNormalization', [convolved, scale, bias], { num_groups: int(4) }, `${name}.norm`);
}
