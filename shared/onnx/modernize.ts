import { FlError } from '../core/errors.ts';
import { type Attribute, describeNode, type Graph, type Model, type Node } from './graph.ts';
import { int } from './graph-builder.ts';
import { int64Tensor, int64Values, type Tensor } from './tensor.ts';

/** From this operator set on, axes are inputs everywhere and Split says how many parts it makes. */
const modernOpset = 18;

const reductionsWithAxes = new Set(
  ['L1', 'L2', 'LogSum', 'LogSumExp', 'Max', 'Mean', 'Min', 'Prod', 'SumSquare'].map((name) => `Reduce${name}`),
);

/**
 * The same model in operator set 18 or newer, and with tensors alone: SplitToSequence and SequenceAt, as PyTorch's exporters write
 * `chunk`, become Slice.
 * @throws {FlError} `onnx-operator-unsupported` for a sequence whose parts are not constant
 */
export function modernize({ opset, graph }: Model): Model {
  const initializers = new Map(graph.initializers);
  const added = constantMaker(graph, initializers);
  const constants = new Map(graph.initializers);
  for (const { op, outputs, attributes } of graph.nodes) {
    if (op !== 'Constant') continue;
    for (const attribute of attributes.values()) {
      if (attribute.kind === 'tensor') constants.set(outputs[0], attribute.value);
      if (attribute.kind === 'int') constants.set(outputs[0], int64Tensor([attribute.value], []));
      if (attribute.kind === 'ints') constants.set(outputs[0], int64Tensor(attribute.value));
    }
  }
  let nodes = withoutSequences(graph, constants, added);
  if (opset < modernOpset) nodes = nodes.map((node) => upgraded(node, added));
  return { opset: Math.max(opset, modernOpset), graph: { ...graph, initializers, nodes } };
}

/** Adds a constant int64 list to the graph and says what it is called. */
type AddConstant = (hint: string, values: readonly number[]) => string;

function constantMaker(graph: Graph, initializers: Map<string, Tensor>): AddConstant {
  const taken = new Set([...graph.inputs, ...graph.outputs].map(({ name }) => name));
  for (const { outputs } of graph.nodes) for (const name of outputs) taken.add(name);
  return (hint, values) => {
    let name = hint;
    while (taken.has(name) || initializers.has(name)) name = `${name}_`;
    initializers.set(name, int64Tensor(values));
    return name;
  };
}

/** Operator sets 13 to 17 to 18. */
function upgraded(node: Node, added: AddConstant): Node {
  if (node.domain !== '') return node;
  const axes = node.attributes.get('axes');
  if (reductionsWithAxes.has(node.op) && axes?.kind === 'ints') {
    const name = added(`${node.outputs[0]}/axes`, axes.value);
    const attributes = new Map([...node.attributes].filter(([key]) => key !== 'axes'));
    return { ...node, inputs: [node.inputs[0], name], attributes };
  }
  if (node.op === 'Split' && node.inputs.length < 2) {
    const attributes = new Map<string, Attribute>(node.attributes).set('num_outputs', int(node.outputs.length));
    return { ...node, attributes };
  }
  return node;
}

/** Where a sequence's parts lie along an axis of the value that was cut. */
interface Sequence {
  readonly whole: string;
  readonly axis: number;
  /** Bounds of a part, or undefined if there is none of that number. */
  bounds(part: number): readonly [start: number, end: number] | undefined;
}

function sequenceOf(node: Node, index: number, constants: ReadonlyMap<string, Tensor>): Sequence {
  const split = constants.get(node.inputs[1] ?? '');
  const sizes = numbersOf(split);
  if (!split || !sizes) throw refused(node, index);
  const axis = node.attributes.get('axis');
  const place = { whole: node.inputs[0], axis: axis?.kind === 'int' ? axis.value : 0 };
  if (split.dims.length === 0) {
    const [size] = sizes;
    return { ...place, bounds: (part) => (part < 0 ? undefined : [part * size, (part + 1) * size]) };
  }
  const ends = sizes.map((_, part) => sizes.slice(0, part + 1).reduce((sum, size) => sum + size, 0));
  return {
    ...place,
    bounds(part) {
      const end = ends.at(part);
      return end === undefined ? undefined : [end - (sizes.at(part) ?? 0), end];
    },
  };
}

function withoutSequences(graph: Graph, constants: ReadonlyMap<string, Tensor>, added: AddConstant) {
  const sequences = new Map<string, Sequence>();
  const kept: Node[] = [];
  for (const [index, node] of graph.nodes.entries()) {
    if (node.domain === '' && node.op === 'SplitToSequence') {
      sequences.set(node.outputs[0], sequenceOf(node, index, constants));
      continue;
    }
    const sequence = sequences.get(node.inputs[0] ?? '');
    if (!sequence) {
      kept.push(node);
      continue;
    }
    const [part] = numbersOf(constants.get(node.inputs[1] ?? '')) ?? [];
    const bounds = node.op === 'SequenceAt' && part !== undefined ? sequence.bounds(part) : undefined;
    if (!bounds) throw refused(node, index);
    const names = [...bounds, sequence.axis].map((value, i) => added(`${node.outputs[0]}/slice${i}`, [value]));
    kept.push({ ...node, op: 'Slice', inputs: [sequence.whole, ...names], attributes: new Map() });
  }
  return kept;
}

function numbersOf(tensor: Tensor | undefined): readonly number[] | undefined {
  return tensor?.type === 'int64' ? int64Values(tensor) : undefined;
}

function refused(node: Node, index: number): FlError {
  return new FlError(
    'onnx-operator-unsupported',
    `${describeNode(node, index)}: a sequence is supported only as what chunk or split makes. Slice the tensor instead.`,
  );
}
