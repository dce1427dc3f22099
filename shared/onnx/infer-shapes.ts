import { FlError } from '../core/errors.ts';
import { describeNode, type Graph } from './graph.ts';
import { constantValue } from './rules/constant.ts';
import { ruleFor } from './rules/registry.ts';
import { illFitting, type ShapeContext } from './rules/rule.ts';
import type { Shape } from './shape.ts';
import type { Tensor } from './tensor.ts';

/** Shapes of all values of a graph, and the values that no run changes. */
export interface Inferred {
  readonly shapes: ReadonlyMap<string, Shape>;
  readonly constants: ReadonlyMap<string, Tensor>;
}

/**
 * Follows shapes from the inputs, whose named first axis is the batch, to every value.
 * @throws {FlError} `onnx-operator-unsupported`, `onnx-shape`
 */
export function inferShapes(graph: Graph): Inferred {
  const shapes = new Map<string, Shape>();
  const constants = new Map(graph.initializers);
  for (const [name, { dims }] of graph.initializers) shapes.set(name, dims);
  for (const { name, dims } of graph.inputs) shapes.set(name, inputShape(name, dims));
  graph.nodes.forEach((node, index) => {
    const rule = ruleFor(node, index);
    const outputs = rule.outputShapes(shapeContext(node, { shapes, constants }));
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
    if (node.op === 'Constant') constants.set(node.outputs[0], constantValue(node));
  });
  return { shapes, constants };
}

/** The view of one node that its rule gets. */
export function shapeContext(node: Graph['nodes'][number], { shapes, constants }: Inferred): ShapeContext {
  return {
    node,
    shape(input) {
      const shape = shapes.get(node.inputs[input] ?? '');
      if (!shape) throw illFitting(node, `input ${input} is missing`);
      return shape;
    },
    constant: (input) => constants.get(node.inputs[input] ?? ''),
  };
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
