import type { Graph } from '../graph.ts';
import { GraphBuilder } from '../graph-builder.ts';
import { appendStep } from './append-step.ts';
import type { LossName } from './loss.ts';
import { inputNames, nextName, outputNames, reserveNames } from './names.ts';
import type { Trainable } from './trainable.ts';

/** One training step as a graph: (parameters, X [batch, ...], Y [batch], lr) -> (loss, parameters'). */
export function stepGraph(model: Trainable, loss: LossName): Graph {
  const build = new GraphBuilder();
  const { tensors } = model.layout;
  reserveNames(build, tensors);
  const outputs = appendStep(build, model, loss, {
    parameters: new Map(tensors.map(({ name, shape }) => [name, build.input(name, 'float32', shape)])),
    features: build.input(inputNames.features, 'float32', ['batch', ...model.exampleShape]),
    labels: build.input(inputNames.labels, 'int64', ['batch']),
    learningRate: build.input(inputNames.learningRate, 'float32', []),
  });
  build.output(outputs.loss, outputNames.loss, 'float32', []);
  for (const { name, shape } of tensors) {
    build.output(outputs.parameters.get(name) ?? name, nextName(name), 'float32', shape);
  }
  return build.graph('train_step');
}
