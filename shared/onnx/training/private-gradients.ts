import { FlError } from '../../core/errors.ts';
import { floatAttribute, intAttribute } from '../attributes.ts';
import { describeNode } from '../graph.ts';
import { type BuiltNode, type GraphBuilder, int } from '../graph-builder.ts';
import type { AttachedLoss } from './loss.ts';
import type { Trainable } from './trainable.ts';
import type { PrivacySpec } from './training-spec.ts';

/** Layers whose gradient of one example can be told from the batch's: none of them mixes examples. */
const separable = new Set([
  'Gemm',
  'Relu',
  'LeakyRelu',
  'Elu',
  'Sigmoid',
  'Tanh',
  'Softplus',
  'Erf',
  'Gelu',
  'Identity',
  'Flatten',
  'Reshape',
  'Constant',
]);

/** A parameter's gradient as a sum over examples of what each contributes. */
interface PerExample {
  /** Appends the squared norm of each example's share, [batch, 1]. */
  squaredNorm(): string;
  /** Appends the sum with each example's share multiplied by `scale`, [batch, 1]. */
  scaledSum(scale: string): string;
}

/**
 * Mean over the batch of gradients clipped for each example, plus noise: (sum_i g_i min(1, C / |g_i|) + sigma C noise) / batch
 * (DP-SGD, Abadi et al. 2016). Dense layers only: the norm of x_i d_i^T is |x_i| |d_i| (Goodfellow 2015, arXiv:1510.01799), so no
 * gradient of one example is ever made.
 * @param gradients of the sum of the examples' losses, by parameter
 * @param count examples in the batch, a float32 scalar
 * @param noiseOf the parameter's standard normal noise, of its shape
 * @throws {FlError} `onnx-operator-unsupported` for a model with any other layer or with tied weights
 */
export function privateGradients(
  build: GraphBuilder,
  model: Trainable,
  gradients: ReadonlyMap<string, string>,
  { clipNorm, noiseMultiplier }: PrivacySpec,
  { count, noiseOf }: { readonly count: string; readonly noiseOf: (parameter: string) => string },
): ReadonlyMap<string, string> {
  requireSeparable(model);
  const shares = new Map([...gradients].map(([name, gradient]) => [name, perExampleOf(build, name, gradient)]));
  const norms = [...shares.values()].map((share) => share.squaredNorm());
  const norm = build.node('Sqrt', [norms.length === 1 ? norms[0] : build.node('Sum', norms)]);
  const bounded = build.node('Max', [norm, build.float(1e-30)]);
  const scale = build.node('Min', [build.node('Div', [build.float(clipNorm), bounded]), build.float(1)]);
  return new Map(
    [...shares].map(([name, share]) => {
      let sum = share.scaledSum(scale);
      if (noiseMultiplier > 0) {
        const noise = build.node('Mul', [noiseOf(name), build.float(noiseMultiplier * clipNorm)]);
        sum = build.node('Add', [sum, noise]);
      }
      return [name, build.node('Div', [sum, count])];
    }),
  );
}

/** @throws {FlError} `onnx-operator-unsupported` if examples weigh differently: one example would then change the weight of the others */
export function requireUnweighted({ weight }: AttachedLoss): void {
  if (weight === undefined) return;
  throw new FlError('onnx-operator-unsupported', 'privacy does not go with class weights or ignored labels');
}

function requireSeparable({ graph }: Trainable): void {
  graph.nodes.forEach((node, index) => {
    if (node.domain === '' && separable.has(node.op)) return;
    throw new FlError(
      'onnx-operator-unsupported',
      `${describeNode(node, index)}: gradients of single examples are made for ${[...separable].join(', ')} only. Train without privacy, or build the model from these.`,
    );
  });
}

function perExampleOf(build: GraphBuilder, name: string, gradient: string): PerExample {
  const maker = build.makerOf(gradient);
  const share = maker && (productShare(build, maker) ?? sumShare(build, maker));
  if (share) return share;
  throw new FlError(
    'onnx-operator-unsupported',
    `parameter "${name}" is no weight or bias of one Gemm: its gradient cannot be told apart by example`,
  );
}

const squares = (build: GraphBuilder, value: string) =>
  build.node('ReduceSumSquare', [value, build.ints([1])], { keepdims: int(1) });

/** alpha A^T B over the batch: a dense layer's weight. */
function productShare(build: GraphBuilder, maker: BuiltNode): PerExample | undefined {
  const isProduct = maker.op === 'Gemm' && maker.inputs.length === 2;
  if (!isProduct || intAttribute(maker, 'transA', 0) === 0 || intAttribute(maker, 'transB', 0) !== 0) return undefined;
  const [a, b] = maker.inputs;
  const alpha = floatAttribute(maker, 'alpha', 1);
  return {
    squaredNorm() {
      const product = build.node('Mul', [squares(build, a), squares(build, b)]);
      return alpha === 1 ? product : build.node('Mul', [product, build.float(alpha * alpha)]);
    },
    scaledSum: (scale) => build.node('Gemm', [build.node('Mul', [a, scale]), b], Object.fromEntries(maker.attributes)),
  };
}

/** A sum over the batch axis: a bias. */
function sumShare(build: GraphBuilder, maker: BuiltNode): PerExample | undefined {
  if (maker.op !== 'ReduceSum' || intAttribute(maker, 'keepdims', 1) !== 0) return undefined;
  if (maker.inputs[1] !== build.ints([0])) return undefined;
  const [value] = maker.inputs;
  return {
    squaredNorm: () => squares(build, value),
    scaledSum: (scale) =>
      build.node('ReduceSum', [build.node('Mul', [value, scale]), build.ints([0])], { keepdims: int(0) }),
  };
}
