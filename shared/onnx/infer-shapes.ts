import { FlError } from '../core/errors.ts';
import { describeNode, type Graph, type Node } from './graph.ts';
import { type Known, knownTensor, mostKnown } from './known.ts';
import { constantValue } from './rules/constant.ts';
import { ruleFor } from './rules/registry.ts';
import { illFitting, type ShapeContext } from './rules/rule.ts';
import { fixedSize, multipleOf, type Shape } from './shape.ts';
import type { Tensor } from './tensor.ts';

/** No device holds a value of more elements. */
const mostElements = 2 ** 40;

/** Shapes of all values of a graph, and the values that no run changes. */
export interface Inferred {
  readonly shapes: ReadonlyMap<string, Shape>;
  readonly constants: ReadonlyMap<string, Tensor>;
  /** Integers that follow from shapes and constants. */
  readonly known: ReadonlyMap<string, Known>;
}

/**
 * Follows shapes from the inputs, whose named first axis is the batch, to every value.
 * @throws {FlError} `onnx-operator-unsupported`, `onnx-shape`
 */
export function inferShapes(graph: Graph): Inferred {
  const follower = new ShapeFollower();
  for (const [name, tensor] of graph.initializers) follower.addConstant(name, tensor);
  for (const { name, dims } of graph.inputs) follower.addInput(name, dims);
  graph.nodes.forEach((node, index) => {
    follower.addNode(node, index);
  });
  return follower;
}

/** Shapes of the values of a graph that is still being made, in the order of its making. */
export class ShapeFollower implements Inferred {
  readonly shapes = new Map<string, Shape>();
  readonly constants = new Map<string, Tensor>();
  readonly known = new Map<string, Known>();

  addConstant(name: string, tensor: Tensor): void {
    this.constants.set(name, tensor);
    this.shapes.set(name, tensor.dims);
    this.#follow(name, knownTensor(tensor));
  }

  /** @throws {FlError} `onnx-shape` unless the first axis, and it alone, is open */
  addInput(name: string, dims: readonly (number | string)[] | undefined): void {
    this.shapes.set(name, inputShape(name, dims));
  }

  /** @throws {FlError} `onnx-operator-unsupported`, `onnx-shape` */
  addNode(node: Node, index?: number): void {
    const rule = ruleFor(node, index);
    const context = shapeContext(node, this);
    const outputs = rule.outputShapes(context);
    node.outputs.forEach((name, output) => {
      if (name === '') return;
      const shape = outputs[output];
      if (!shape)
        throw new FlError(
          'onnx-operator-unsupported',
          `${describeNode(node, index)}: output ${output} is not supported`,
        );
      requireSizes(node, shape, index);
      this.shapes.set(name, shape);
    });
    if (node.op === 'Constant') this.addConstant(node.outputs[0], constantValue(node));
    else if (isShort(outputs[0])) this.#follow(node.outputs[0], rule.known?.(context));
  }

  #follow(name: string, value: Known | undefined): void {
    if (value && value.values.length <= mostKnown) this.known.set(name, value);
  }
}

/** The view of one node that its rule gets. */
export function shapeContext(node: Node, { shapes, constants, known }: Inferred): ShapeContext {
  return {
    node,
    shape(input) {
      const shape = shapes.get(node.inputs[input] ?? '');
      if (!shape) throw illFitting(node, `input ${input} is missing`);
      return shape;
    },
    has: (input) => (node.inputs[input] ?? '') !== '',
    constant: (input) => constants.get(node.inputs[input] ?? ''),
    known: (input) => known.get(node.inputs[input] ?? ''),
  };
}

/** Sizes beyond float64's integers would be other sizes without a word. */
function requireSizes(node: Node, shape: Shape, index: number | undefined): void {
  let elements = 1;
  for (const side of shape) elements *= multipleOf(side);
  if (
    elements <= mostElements &&
    shape.every((side) => Number.isSafeInteger(multipleOf(side)) && multipleOf(side) >= 0)
  )
    return;
  throw new FlError('onnx-shape', `${describeNode(node, index)}: its output is [${shape}], too large or no size`);
}

function isShort(shape: Shape): boolean {
  return (fixedSize(shape) ?? Number.POSITIVE_INFINITY) <= mostKnown;
}

function inputShape(name: string, dims: readonly (number | string)[] | undefined): Shape {
  if (!dims || dims.length === 0) throw new FlError('onnx-shape', `input "${name}" needs a shape of [batch, ...]`);
  return dims.map((dimension, axis) => {
    if (axis === 0) {
      if (typeof dimension === 'string') return 'batch';
      throw new FlError('onnx-shape', `input "${name}" is [${dims}]: export with a dynamic first (batch) axis`);
    }
    if (typeof dimension === 'number' && dimension > 0) return dimension;
    throw new FlError('onnx-shape', `input "${name}" is [${dims}]: only the first (batch) axis may be open`);
  });
}
