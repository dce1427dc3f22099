import { FlError } from '../../core/errors.ts';
import { type Layout, layoutOf } from '../../core/params.ts';
import { ancestors } from '../differentiate.ts';
import type { Graph, ValueInfo } from '../graph.ts';
import { type Inferred, inferShapes } from '../infer-shapes.ts';
import { float32Values } from '../tensor.ts';
import { type Dropout, maskDropouts } from './dropout.ts';
import { modesOf, runningStatistics } from './model-modes.ts';
import { inputNames, inputPrefixes, nextName, outputNames } from './names.ts';
import { matchesPattern } from './training-spec.ts';

/** A forward graph read as a model to train: features [batch, ...] to scores [batch, outputs]. */
export interface Trainable {
  /** As it is trained. */
  readonly graph: Graph;
  /** As it is used: the same values under the same names. */
  readonly inference: Graph;
  readonly inferred: Inferred;
  readonly features: ValueInfo;
  /** Sizes of one example, without the batch axis. */
  readonly exampleShape: readonly number[];
  readonly scores: string;
  readonly outputs: number;
  /**
   * Every float32 initializer that the scores depend on and that is not frozen, and the running statistics of normalisation by the batch.
   * The other initializers stay as they are.
   */
  readonly layout: Layout;
  /** The running statistics in the layout: a step sets them, no gradient does. */
  readonly statistics: ReadonlySet<string>;
  /** Masks that a training step makes; the graph as it is used has none. */
  readonly dropouts: readonly Dropout[];
}

/**
 * Finds what there is to train in a forward graph.
 * @param freeze names of parameters that stay as they are; `*` stands for any characters
 * @throws {FlError} `onnx-shape`, `onnx-operator-unsupported`, `onnx-name-reserved`, `onnx-nothing-to-train`, `freeze-unknown` if a
 *   pattern fits no parameter
 */
export function trainableOf(forward: Graph, freeze: readonly string[] = []): Trainable {
  const { training, inference } = modesOf(forward, freeze);
  if (forward.inputs.length !== 1 || forward.outputs.length !== 1) {
    const [inputs, outputs] = [forward.inputs, forward.outputs].map((values) =>
      values.map(({ name }) => name).join(', '),
    );
    throw new FlError(
      'onnx-shape',
      `expected one input and one output, got inputs (${inputs}) and outputs (${outputs})`,
    );
  }
  const [features] = forward.inputs;
  if (features.type !== 'float32' && features.type !== 'int64')
    throw new FlError('onnx-shape', `input "${features.name}" is ${features.type}, expected float32 or int64`);
  const { graph, inferred, dropouts } = maskDropouts(training, inferShapes(training));
  const scores = graph.outputs[0].name;
  const shape = inferred.shapes.get(scores) ?? [];
  if (shape.length !== 2 || shape[0] !== 'batch' || typeof shape[1] !== 'number' || shape[1] < 1) {
    throw new FlError('onnx-shape', `output "${scores}" is [${shape}], expected [batch, classes]`);
  }
  const exampleShape = (inferred.shapes.get(features.name) ?? []).slice(1).map(Number);
  const statistics = new Set(runningStatistics(graph, scores));
  const layout = layoutOfGraph(graph, scores, freeze, statistics);
  return {
    graph,
    inference,
    inferred,
    features,
    exampleShape,
    scores,
    outputs: shape[1],
    layout,
    statistics,
    dropouts,
  };
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

function layoutOfGraph(
  graph: Graph,
  scores: string,
  freeze: readonly string[],
  statistics: ReadonlySet<string>,
): Layout {
  const reached = ancestors(graph, scores);
  const all = [...graph.initializers].filter(([name, { type }]) => type === 'float32' && reached.has(name));
  for (const pattern of freeze) {
    if ([...graph.initializers.keys()].some((name) => matchesPattern(pattern, name))) continue;
    const names = all.map(([name]) => name).join(', ');
    throw new FlError('freeze-unknown', `no parameter is called "${pattern}"; there are ${names}`);
  }
  const trainable = all.filter(([name]) => !freeze.some((pattern) => matchesPattern(pattern, name)));
  if (all.length > 0 && trainable.length === 0)
    throw new FlError('onnx-nothing-to-train', 'every parameter is frozen: leave at least one to train');
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
  const prefixes = Object.values(inputPrefixes);
  for (const [name] of trainable) {
    if (reserved.has(name) || prefixes.some((prefix) => name.startsWith(prefix)))
      throw new FlError('onnx-name-reserved', `a parameter is called "${name}": rename it`);
  }
  const kept = [...graph.initializers].filter(([name]) => statistics.has(name));
  return layoutOf([...trainable, ...kept].map(([name, { dims }]) => ({ name, shape: dims })));
}
