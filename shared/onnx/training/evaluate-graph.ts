import type { Graph } from '../graph.ts';
import { GraphBuilder, int } from '../graph-builder.ts';
import { appendForward } from './append-forward.ts';
import { appendLabels } from './label-input.ts';
import { lossOf, targetsFeatures } from './loss.ts';
import { inputNames, outputNames, reserveNames } from './names.ts';
import { prune } from './prune.ts';
import type { Trainable } from './trainable.ts';
import type { Training } from './training-spec.ts';

/**
 * Evaluation as a graph: (parameters, X [batch, ...], Y [batch]) -> (loss_sum, correct). Both are sums, so that chunks of a set add up.
 * Where examples have weights, `loss_weight` is what the sum is to be divided by; where some are ignored, `counted` is how many are not.
 * A tie between classes goes to the first. A regression has no right answers: in place of `correct` it gives `squared_error`, a sum,
 * and of its targets `target_mean` [outputs] and `target_squares`, the sum of squared differences to that mean.
 */
export function evaluateGraph(model: Trainable, training: Training): Graph {
  const build = new GraphBuilder();
  const { tensors } = model.layout;
  reserveNames(
    build,
    tensors.map(({ name }) => name),
  );
  const bound = new Map(tensors.map(({ name, shape }) => [name, build.input(name, 'float32', shape)]));
  const features = build.input(inputNames.features, model.features.type, ['batch', ...model.exampleShape]);
  bound.set(model.features.name, features);
  const labels = appendLabels(build, model, training, 'batch');

  const used = { graph: model.inference, inferred: model.inferred };
  const scores = appendForward(build, used, bound).valueName(model.scores);
  const loss = lossOf(training.loss, model.outputs);
  const target = targetsFeatures(training.loss) ? features : labels;
  const { perExample, weight, counted } = loss.attach(build, { scores, target });
  const sum = (value: string) => build.node('ReduceSum', [value], { keepdims: int(0) });
  build.output(sum(perExample), outputNames.lossSum, 'float32', []);
  if (loss.measure.kind === 'hits') {
    const hits = build.node('Cast', [loss.measure.hits(build, { scores, target })], { to: int(7) });
    build.output(sum(hits), outputNames.correct, 'int64', []);
  } else {
    const square = (value: string) => sum(build.node('Mul', [value, value]));
    const mean = build.node('ReduceMean', [target, build.ints([0])], { keepdims: int(0) });
    build.output(square(build.node('Sub', [scores, target])), outputNames.squaredError, 'float32', []);
    build.output(mean, outputNames.targetMean, 'float32', [model.outputs]);
    build.output(square(build.node('Sub', [target, mean])), outputNames.targetSquares, 'float32', []);
  }
  if (weight !== undefined) build.output(weight, outputNames.lossWeight, 'float32', []);
  if (counted !== undefined) build.output(counted, outputNames.counted, 'int64', []);
  return prune(build.graph('evaluate'));
}
