import { FlError } from '../../core/errors.ts';
import { type Layout, layoutOf } from '../../core/params.ts';
import { ancestors } from '../differentiate.ts';
import type { Graph, ValueInfo } from '../graph.ts';
import { type Inferred, inferShapes } from '../infer-shapes.ts';
import { float32Values } from '../tensor.ts';
import { inputNames, nextName, outputNames } from './names.ts';

/** A forward graph read as a model to train: features [batch, ...] to logits [batch, classes]. */
export interface Trainable {
  readonly graph: Graph;
  readonly inferred: Inferred;
  readonly features: ValueInfo;
  /** Sizes of one example, without the batch axis. */
  readonly exampleShape: readonly number[];
  readonly logits: string;
  readonly classes: number;
  /** Every float32 initializer that the logits depend on. The other initializers stay as they are. */
  readonly layout: Layout;
}

/**
 * Finds what there is to train in a forward graph.
 * @throws {FlError} `onnx-shape`, `onnx-operator-unsupported`, `onnx-name-reserved`, `onnx-nothing-to-train`
 */
export function trainableOf(graph: Graph): Trainable {
  if (graph.inputs.length !== 1 || graph.outputs.length !== 1) {
    const [inputs, outputs] = [graph.inputs, graph.outputs].map((values) => values.map(({ name }) => name).join(', '));
    throw new FlError(
      'onnx-shape',
      `expected one input and one output, got inputs (${inputs}) and outputs (${outputs})`,
    );
  }
  const [features] = graph.inputs;
  if (features.type !== 'float32')
    throw new FlError('onnx-shape', `input "${features.name}" is ${features.type}, expected float32`);
  const inferred = inferShapes(graph);
  const logits = graph.outputs[0].name;
  const shape = inferred.shapes.get(logits) ?? [];
  if (shape.length !== 2 || shape[0] !== 'batch' || typeof shape[1] !== 'number' || shape[1] < 1) {
    throw new FlError('onnx-shape', `output "${logits}" is [${shape}], expected [batch, classes]`);
  }
  const exampleShape = (inferred.shapes.get(features.name) ?? []).slice(1).map(Number);
  return { graph, inferred, features, exampleShape, logits, classes: shape[1], layout: layoutOfGraph(graph, logits) };
}

/** The initial values of the layout's tensors, flat, shape [layout.size]. */
export function initialValues({ graph, layout }: Trainable): Float32Array {
  const values = new Float32Array(layout.size);
  for (const { name, offset } of layout.tensors) {
    const tensor = graph.initializers.get(name);
    if (tensor) values.set(float32Values(tensor), offset);
  }
  return values;
}

function layoutOfGraph(graph: Graph, logits: string): Layout {
  const reached = ancestors(graph, logits);
  const trainable = [...graph.initializers].filter(([name, { type }]) => type === 'float32' && reached.has(name));
  if (trainable.length === 0) {
    throw new FlError(
      'onnx-nothing-to-train',
      'no float32 initializer reaches the output: export the weights with the model',
    );
  }
  const reserved = new Set<string>([
    ...Object.values(inputNames),
    ...Object.values(outputNames),
    ...trainable.map(([name]) => nextName(name)),
  ]);
  for (const [name] of trainable) {
    if (reserved.has(name)) throw new FlError('onnx-name-reserved', `a parameter is called "${name}": rename it`);
  }
  return layoutOf(trainable.map(([name, { dims }]) => ({ name, shape: dims })));
}
