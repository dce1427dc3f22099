import { float, GraphBuilder, int, ints } from '../graph-builder.ts';
import { float32Tensor } from '../tensor.ts';
import { dense, forwardModel, parameter, requireSizes } from './forward-model.ts';

/** Sizes of a character transformer. */
export interface CharTransformerShape {
  /** Characters in the alphabet; tokens are 0 to `vocabulary` - 1. */
  readonly vocabulary: number;
  /** Characters that are read; 80 in LEAF's Shakespeare (arXiv:1812.01097). */
  readonly context: number;
  readonly width?: number;
  readonly heads?: number;
  readonly layers?: number;
}

/**
 * Predicts the character after `context` others: pre-norm transformer blocks (Xiong et al. 2020, arXiv:2002.04745) of attention and a GELU
 * layer four times as wide, and the last position's scores. X int64 [batch, context] -> logits [batch, vocabulary]. Parameters
 * `token.table`, `position.table`, `block1.attention`'s, ..., all zero but the normalisations' weights.
 * @throws {RangeError} on a size that is not a positive integer, or a width that the heads do not divide
 */
export function charTransformer(shape: CharTransformerShape): Uint8Array {
  const { vocabulary, context, width = 64, heads = 4, layers = 2 } = shape;
  requireSizes({ vocabulary, context, width, heads, layers });
  if (width % heads !== 0) throw new RangeError(`width: expected a multiple of ${heads} heads, got ${width}`);
  const build = new GraphBuilder();
  build.reserve('logits');
  build.reserve('X');
  const tokens = build.input('X', 'int64', ['batch', context]);
  const embedded = build.node('Gather', [parameter(build, 'token.table', [vocabulary, width]), tokens], {}, 'token');
  const placed = build.node('Add', [embedded, parameter(build, 'position.table', [context, width])], {}, 'position');
  // Rows of [batch * context, width]: every dense layer is one Gemm.
  let rows = build.node('Reshape', [placed, build.ints([-1, width])], {}, 'rows');
  for (let layer = 1; layer <= layers; layer++) {
    const name = `block${layer}`;
    rows = build.node('Add', [rows, attention(build, `${name}.attention`, rows, { context, width, heads })], {}, name);
    rows = build.node('Add', [rows, feedForward(build, `${name}.feed`, rows, width)], {}, name);
  }
  const positions = build.node('Reshape', [rows, build.ints([-1, context, width])], {}, 'positions');
  const last = build.node('Gather', [positions, build.int(context - 1)], { axis: int(1) }, 'last');
  const logits = dense(build, 'head', norm(build, 'head.norm', last, width), width, vocabulary);
  build.output(logits, 'logits', 'float32', ['batch', vocabulary]);
  return forwardModel(build.graph('char_transformer'), 21);
}

function norm(build: GraphBuilder, name: string, x: string, width: number): string {
  const weight = parameter(build, `${name}.weight`, [width], 1);
  const bias = parameter(build, `${name}.bias`, [width]);
  return build.node('LayerNormalization', [x, weight, bias], { axis: int(-1), epsilon: float(1e-5) }, name);
}

function attention(
  build: GraphBuilder,
  name: string,
  rows: string,
  { context, width, heads }: { readonly context: number; readonly width: number; readonly heads: number },
): string {
  const size = width / heads;
  const projected = dense(build, `${name}.in`, norm(build, `${name}.norm`, rows, width), width, 3 * width);
  const parted = build.node('Reshape', [projected, build.ints([-1, context, 3 * heads, size])], {}, `${name}/parts`);
  const byHead = build.node('Transpose', [parted], { perm: ints([0, 2, 1, 3]) }, `${name}/heads`);
  const [query, key, value] = ['query', 'key', 'value'].map((part) => build.fresh(`${name}/${part}`));
  build.emit('Split', [byHead, build.ints([heads, heads, heads])], [query, key, value], new Map([['axis', int(1)]]));
  const keys = build.node('Transpose', [key], { perm: ints([0, 1, 3, 2]) }, `${name}/keys`);
  const scale = { value: { kind: 'tensor', value: float32Tensor(Float32Array.of(1 / Math.sqrt(size)), []) } } as const;
  const likeness = build.node('Mul', [build.node('MatMul', [query, keys]), build.node('Constant', [], scale)]);
  const weighted = build.node('MatMul', [build.node('Softmax', [likeness], { axis: int(-1) }), value]);
  const joined = build.node('Transpose', [weighted], { perm: ints([0, 2, 1, 3]) }, `${name}/joined`);
  return dense(build, `${name}.out`, build.node('Reshape', [joined, build.ints([-1, width])]), width, width);
}

function feedForward(build: GraphBuilder, name: string, rows: string, width: number): string {
  const wide = dense(build, `${name}.up`, norm(build, `${name}.norm`, rows, width), width, 4 * width);
  return dense(build, `${name}.down`, build.node('Gelu', [wide], {}, `${name}/gelu`), 4 * width, width);
}
