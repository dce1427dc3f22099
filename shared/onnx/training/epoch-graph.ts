import type { Attribute, Graph } from '../graph.ts';
import { GraphBuilder, int } from '../graph-builder.ts';
import { appendStep } from './append-step.ts';
import type { LossName } from './loss.ts';
import { inputNames, nextName, outputNames, reserveNames } from './names.ts';
import type { Trainable } from './trainable.ts';

/**
 * Many training steps as one graph, a Loop around the step, which gathers its own examples:
 * (parameters, X [n, ...], Y [n], idx [steps, batch], lr) -> (losses [steps], parameters').
 */
export function epochGraph(model: Trainable, loss: LossName): Graph {
  const build = new GraphBuilder();
  const { tensors } = model.layout;
  reserveNames(build, tensors);
  const parameters = tensors.map(({ name, shape }) => build.input(name, 'float32', shape));
  build.input(inputNames.features, 'float32', ['examples', ...model.exampleShape]);
  build.input(inputNames.labels, 'int64', ['examples']);
  const indices = build.input(inputNames.indices, 'int64', ['steps', 'batch']);
  build.input(inputNames.learningRate, 'float32', []);

  const steps = build.node('Gather', [build.node('Shape', [indices]), build.int(0)]);
  const outputs = [...tensors.map(({ name }) => nextName(name)), outputNames.losses];
  const body: Attribute = { kind: 'graph', value: loopBody(model, loss) };
  build.emit('Loop', [steps, '', ...parameters], outputs, new Map([['body', body]]));
  for (const { name, shape } of tensors) build.output(nextName(name), nextName(name), 'float32', shape);
  build.output(outputNames.losses, outputNames.losses, 'float32', ['steps']);
  return build.graph('train_epoch');
}

/** (iteration, condition, parameters) -> (condition, parameters', loss); X, Y, idx and lr come from the graph around it. */
function loopBody(model: Trainable, loss: LossName): Graph {
  const build = new GraphBuilder('loop/');
  const { tensors } = model.layout;
  reserveNames(build, tensors);

  const iteration = build.input(build.fresh('iteration'), 'int64', []);
  const condition = build.input(build.fresh('condition'), 'bool', []);
  const parameters = new Map(
    tensors.map(({ name, shape }) => [name, build.input(build.fresh(name), 'float32', shape)]),
  );

  const row = build.node('Gather', [inputNames.indices, iteration], { axis: int(0) });
  const outputs = appendStep(build, model, loss, {
    parameters,
    features: build.node('Gather', [inputNames.features, row], { axis: int(0) }),
    labels: build.node('Gather', [inputNames.labels, row], { axis: int(0) }),
    learningRate: inputNames.learningRate,
  });
  build.output(condition, build.fresh('condition.next'), 'bool', []);
  for (const { name, shape } of tensors) {
    build.output(outputs.parameters.get(name) ?? '', build.fresh(nextName(name)), 'float32', shape);
  }
  build.output(outputs.loss, build.fresh('loss'), 'float32', []);
  return build.graph('train_step');
}
