import type { Graph } from '../graph.ts';
import { GraphBuilder, int } from '../graph-builder.ts';
import { appendForward } from './append-forward.ts';
import { type LossName, losses } from './loss.ts';
import { inputNames, outputNames, reserveNames } from './names.ts';
import type { Trainable } from './trainable.ts';

/**
 * Evaluation as a graph: (parameters, X [batch, ...], Y [batch]) -> (loss_sum, correct). Both are sums, so that chunks of a set add up.
 * A tie between classes goes to the first.
 */
export function evaluateGraph(model: Trainable, loss: LossName): Graph {
  const build = new GraphBuilder();
  const { tensors } = model.layout;
  reserveNames(build, tensors);
  const bound = new Map(tensors.map(({ name, shape }) => [name, build.input(name, 'float32', shape)]));
  bound.set(model.features.name, build.input(inputNames.features, 'float32', ['batch', ...model.exampleShape]));
  const labels = build.input(inputNames.labels, 'int64', ['batch']);

  const logits = appendForward(build, model, bound).valueName(model.logits);
  const { perExample } = losses[loss](build, { logits, labels, classes: model.classes });
  const predicted = build.node('ArgMax', [logits], { axis: int(1), keepdims: int(0) });
  const hits = build.node('Cast', [build.node('Equal', [predicted, labels])], { to: int(7) });
  build.output(build.node('ReduceSum', [perExample], { keepdims: int(0) }), outputNames.lossSum, 'float32', []);
  build.output(build.node('ReduceSum', [hits], { keepdims: int(0) }), outputNames.correct, 'int64', []);
  return build.graph('evaluate');
}
