import { FlError } from '../core/errors.ts';
import { describeNode, type Graph, type Node } from './graph.ts';
import { type Known, knownTensor, mostKnown } from './known.ts';
import { constantValue } from './rules/constant.ts';
import { ruleFor } from './rules/registry.ts';
import { illFitting, type ShapeContext } from './rules/rule.ts';
import { fixedSize, type Shape } from './shape.ts';
import type { Tensor } from './tensor.ts';

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
  const shapes = new Map<string, Shape>();
  const constants = new Map(graph.initializers);
  const known = new Map<string, Known>();
  const follow = (name: string, value: Known | undefined) => {
    if (value && value.values.length <= mostKnown) known.set(name, value);
  };
  for (const [name, tensor] of graph.initializers) {
    shapes.set(name, tensor.dims);
    follow(name, knownTensor(tensor));
  }
  for (const { name, dims } of graph.inputs) shapes.set(name, inputShape(name, dims));
  graph.nodes.forEach((node, index) => {
    const rule = ruleFor(node, index);
    const context = shapeContext(node, { shapes, constants, known });
    const outputs = rule.outputShapes(context);
    node.outputs.forEach((name, output) => {
      if (name === '') return;
      const shape = outputs[output];
      if (!shape)
        throw new FlError(
          'onnx-operator-unsupported',
          `${describeNode(node, index)}: output ${output} is not supported`,
        );
      shapes.set(name, shape);
    });
    if (node.op === 'Constant') {
      const value = constantValue(node);
      constants.set(node.outputs[0], value);
      follow(node.outputs[0], knownTensor(value));
    } else if (isShort(outputs[0])) {
      follow(node.outputs[0], rule.known?.(context));
    }
  });
  return { shapes, constants, known };
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
