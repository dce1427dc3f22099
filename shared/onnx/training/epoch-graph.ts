import type { Attribute, Graph } from '../graph.ts';
import { GraphBuilder, int } from '../graph-builder.ts';
import { appendStep } from './append-step.ts';
import { extraValues } from './extra-values.ts';
import { appendLabels } from './label-input.ts';
import { inputNames, isScalarInput, nextName, outputNames, reserveNames } from './names.ts';
import { prune } from './prune.ts';
import type { Trainable } from './trainable.ts';
import type { Training } from './training-spec.ts';

/**
 * Many training steps as one graph, a Loop around the step, which gathers its own examples:
 * (parameters, X [n, ...], Y [n], idx [steps, batch], lr, state, ...) -> (losses [steps], parameters', state').
 */
export function epochGraph(model: Trainable, training: Training): Graph {
  const build = new GraphBuilder();
  const { state, fixed, perStep } = extraValues(model, training);
  const carried = [...model.layout.tensors, ...state];
  reserveAll(build, model, training);
  const carriedIn = carried.map(({ name, shape }) => build.input(name, 'float32', shape));
  build.input(inputNames.features, model.features.type, ['examples', ...model.exampleShape]);
  appendLabels(build, model, training, 'examples');
  const indices = build.input(inputNames.indices, 'int64', ['steps', 'batch']);
  build.input(inputNames.learningRate, 'float32', []);
  for (const { name, shape } of fixed) build.input(name, 'float32', shape);
  for (const { name, shape } of perStep) build.input(name, 'float32', ['steps', ...shape]);

  const steps = build.node('Gather', [build.node('Shape', [indices]), build.int(0)]);
  const outputs = [...carried.map(({ name }) => nextName(name)), outputNames.losses];
  const body: Attribute = { kind: 'graph', value: loopBody(model, training) };
  build.emit('Loop', [steps, '', ...carriedIn], outputs, new Map([['body', body]]));
  for (const { name, shape } of carried) build.output(nextName(name), nextName(name), 'float32', shape);
  build.output(outputNames.losses, outputNames.losses, 'float32', ['steps']);
  return prune(build.graph('train_epoch'));
}

/** (iteration, condition, parameters, state) -> (condition, parameters', state', loss); all else comes from the graph around it. */
function loopBody(model: Trainable, training: Training): Graph {
  const build = new GraphBuilder('loop/');
  const { tensors } = model.layout;
  const { state, fixed, perStep } = extraValues(model, training);
  reserveAll(build, model, training);

  const iteration = build.input(build.fresh('iteration'), 'int64', []);
  const condition = build.input(build.fresh('condition'), 'bool', []);
  const declare = ({ name, shape }: { name: string; shape: readonly number[] }) =>
    [name, build.input(build.fresh(name), 'float32', shape)] as const;
  const parameters = new Map(tensors.map(declare));
  const stateIn = new Map(state.map(declare));

  const gathered = (name: string, at: string) => build.node('Gather', [name, at], { axis: int(0) });
  const row = gathered(inputNames.indices, iteration);
  const outputs = appendStep(build, model, training, {
    parameters,
    features: gathered(inputNames.features, row),
    labels: gathered(inputNames.labels, row),
    learningRate: inputNames.learningRate,
    extra: new Map([
      ...stateIn,
      ...fixed.map(({ name }) => [name, name] as const),
      ...perStep.map(({ name }) => [name, gathered(name, iteration)] as const),
    ]),
  });
  build.output(condition, build.fresh('condition.next'), 'bool', []);
  for (const { name, shape } of [...tensors, ...state]) {
    const next = outputs.parameters.get(name) ?? outputs.state.get(name) ?? '';
    build.output(next, build.fresh(nextName(name)), 'float32', shape);
  }
  build.output(outputs.loss, build.fresh('loss'), 'float32', []);
  return prune(build.graph('train_step'));
}

function reserveAll(build: GraphBuilder, model: Trainable, training: Training): void {
  const { state, fixed, perStep } = extraValues(model, training);
  const extra = [...state, ...fixed, ...perStep].filter(({ name }) => !isScalarInput(name));
  reserveNames(
    build,
    [...model.layout.tensors, ...extra].map(({ name }) => name),
  );
}
