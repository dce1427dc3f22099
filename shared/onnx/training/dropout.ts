import { FlError } from '../../core/errors.ts';
import { describeNode, type Graph, type Node } from '../graph.ts';
import { type GraphBuilder, int } from '../graph-builder.ts';
import type { Inferred } from '../infer-shapes.ts';
import type { Dimension, Shape } from '../shape.ts';
import { float32Values } from '../tensor.ts';

/** A Dropout of the forward graph, read as a product with a mask. */
export interface Dropout {
  /** The mask's name in the forward graph. */
  readonly mask: string;
  /** Share of the values that become 0, in [0, 1). */
  readonly ratio: number;
  readonly shape: Shape;
}

/**
 * Replaces each Dropout in training mode by a product with a mask, which the training step makes: the operator's own is another one with
 * each session, whatever its seed.
 * @throws {FlError} `onnx-operator-unsupported` if something reads the operator's mask, or the ratio is computed
 */
export function maskDropouts(graph: Graph, inferred: Inferred) {
  const dropouts: Dropout[] = [];
  const shapes = new Map(inferred.shapes);
  const nodes = graph.nodes.map((node, index): Node => {
    if (node.domain !== '' || node.op !== 'Dropout' || !inTraining(node, inferred)) return node;
    const ratio = node.inputs[1] ? inferred.constants.get(node.inputs[1]) : undefined;
    const share = !node.inputs[1] ? 0.5 : ratio?.type === 'float32' ? float32Values(ratio)[0] : Number.NaN;
    if (node.outputs.length > 1 || !(share >= 0 && share < 1)) {
      const what = node.outputs.length > 1 ? 'its mask is read' : 'its ratio is no constant in [0, 1)';
      throw new FlError('onnx-operator-unsupported', `${describeNode(node, index)}: ${what}. Export it as it comes.`);
    }
    const mask = `${node.outputs[0]}/mask`;
    const shape = shapes.get(node.inputs[0]) ?? [];
    shapes.set(mask, shape);
    dropouts.push({ mask, ratio: share, shape });
    return { ...node, op: 'Mul', inputs: [node.inputs[0], mask], attributes: new Map() };
  });
  return { graph: { ...graph, nodes }, inferred: { ...inferred, shapes }, dropouts };
}

function inTraining({ inputs }: Node, { constants }: Inferred): boolean {
  return inputs[2] ? constants.get(inputs[2])?.data[0] === 1 : false;
}

/** What a mask is a function of, beside its place in the graph; float32 scalars that hold integers below 2^24. */
export interface MaskSource {
  readonly features: string;
  readonly seed: string;
  readonly step: string;
}

const bits31 = 2 ** 31 - 1;

/**
 * Appends the mask of the `index`-th Dropout: 1 / (1 - ratio) or 0, float32 of its shape. Each value follows from a hash of seed, step,
 * index and place, so that any runtime draws the same.
 */
export function appendMask(
  build: GraphBuilder,
  { ratio, shape }: Dropout,
  index: number,
  { features, seed, step }: MaskSource,
): string {
  const whole = (value: string) => build.node('Cast', [value], { to: int(7) });
  const plus = (a: string, b: string) => build.node('BitwiseAnd', [build.node('Add', [a, b]), build.int(bits31)]);
  const seeded = mixed(build, plus(whole(seed), build.int((index + 1) * 0x1000193)));
  const key = mixed(build, plus(seeded, whole(step)));

  const batch = build.node('Gather', [build.node('Shape', [features]), build.ints([0])]);
  const dims = build.node(
    'Concat',
    shape.length > 0 ? shape.map((side) => sizeOf(build, side, batch)) : [build.ints([])],
    {
      axis: int(0),
    },
  );
  const count = build.node('ReduceProd', [dims], { keepdims: int(0) });
  const places = build.node('Range', [build.int(0), count, build.int(1)]);
  const spread = build.node('Mul', [places, build.int(0x9e3779b1)]);
  const drawn = mixed(build, mixed(build, plus(spread, key)));
  const kept = build.node('GreaterOrEqual', [drawn, build.int(Math.round(ratio * 2 ** 31))]);
  const scaled = build.node('Mul', [build.node('Cast', [kept], { to: int(1) }), build.float(1 / (1 - ratio))]);
  return build.node('Reshape', [scaled, dims]);
}

function sizeOf(build: GraphBuilder, side: Dimension, batch: string): string {
  if (typeof side === 'number') return build.ints([side]);
  if (side === 'batch') return batch;
  return build.node('Mul', [batch, build.ints([Number(side.slice('batch*'.length))])]);
}

/** Mixes 31 bits: xor-shifts and odd multipliers, as in MurmurHash3's end. int64 in which only 31 bits are set. */
function mixed(build: GraphBuilder, value: string): string {
  const folded = (bits: string, shift: number) =>
    build.node('BitwiseXor', [bits, build.node('Div', [bits, build.int(2 ** shift)])]);
  const multiplied = (bits: string, factor: number) =>
    build.node('BitwiseAnd', [build.node('Mul', [bits, build.int(factor)]), build.int(bits31)]);
  return folded(multiplied(folded(multiplied(folded(value, 15), 0x2c1b3c6d), 12), 0x297a2d39), 15);
}
