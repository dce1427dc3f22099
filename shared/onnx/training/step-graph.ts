import type { Graph } from '../graph.ts';
import { GraphBuilder } from '../graph-builder.ts';
import { appendStep } from './append-step.ts';
import { extraValues } from './extra-values.ts';
import { appendLabels } from './label-input.ts';
import { inputNames, isScalarInput, nextName, outputNames, reserveNames } from './names.ts';
import { prune } from './prune.ts';
import type { Trainable } from './trainable.ts';
import type { Training } from './training-spec.ts';

/** One training step as a graph: (parameters, X [batch, ...], Y [batch], lr, state, ...) -> (loss, parameters', state'). */
export function stepGraph(model: Trainable, training: Training): Graph {
  const build = new GraphBuilder();
  const { tensors } = model.layout;
  const { state, fixed, perStep } = extraValues(model, training);
  const extra = [...state, ...fixed, ...perStep].filter(({ name }) => !isScalarInput(name));
  reserveNames(
    build,
    [...tensors, ...extra].map(({ name }) => name),
  );
  const declare = ({ name, shape }: { name: string; shape: readonly number[] }) =>
    [name, build.input(name, 'float32', shape)] as const;
  const outputs = appendStep(build, model, training, {
    parameters: new Map(tensors.map(declare)),
    features: build.input(inputNames.features, model.features.type, ['batch', ...model.exampleShape]),
    labels: appendLabels(build, model, training, 'batch'),
    learningRate: build.input(inputNames.learningRate, 'float32', []),
    extra: new Map([...state, ...fixed, ...perStep].map(declare)),
  });
  build.output(outputs.loss, outputNames.loss, 'float32', []);
  for (const { name, shape } of tensors) {
    build.output(outputs.parameters.get(name) ?? name, nextName(name), 'float32', shape);
  }
  for (const { name, shape } of state) build.output(outputs.state.get(name) ?? name, nextName(name), 'float32', shape);
  return prune(build.graph('train_step'));
}
