import { GraphBuilder, int, ints } from '../graph-builder.ts';
import { dense, forwardModel, parameter, requireSizes } from './forward-model.ts';

/** Sizes of a GRU classifier: sequences of `steps` vectors of `features` each. */
export interface GruClassifierShape {
  readonly steps: number;
  readonly features: number;
  readonly hidden?: number;
  readonly classes: number;
}

/**
 * One GRU layer (Cho et al. 2014, arXiv:1406.1078, with the reset gate as PyTorch has it) whose last state a dense layer classifies:
 * X [batch, steps, features] -> logits [batch, classes]. Parameters `gru.weight_ih`, `gru.weight_hh`, `gru.bias_ih_hh` and `dense`'s, all zero.
 * @throws {RangeError} on a size that is not a positive integer
 */
export function gruClassifier({ steps, features, hidden = 64, classes }: GruClassifierShape): Uint8Array {
  requireSizes({ steps, features, hidden, classes });
  const build = new GraphBuilder();
  build.reserve('logits');
  build.reserve('X');
  const x = build.input('X', 'float32', ['batch', steps, features]);
  const stepsFirst = build.node('Transpose', [x], { perm: ints([1, 0, 2]) }, 'steps-first');
  const inputs = [
    stepsFirst,
    parameter(build, 'gru.weight_ih', [1, 3 * hidden, features]),
    parameter(build, 'gru.weight_hh', [1, 3 * hidden, hidden]),
    parameter(build, 'gru.bias_ih_hh', [1, 6 * hidden]),
  ];
  const last = build.fresh('gru/last');
  build.emit(
    'GRU',
    inputs,
    ['', last],
    new Map([
      ['hidden_size', int(hidden)],
      ['linear_before_reset', int(1)],
    ]),
    'gru',
  );
  const state = build.node('Squeeze', [last, build.ints([0])], {}, 'state');
  build.output(dense(build, 'dense', state, hidden, classes), 'logits', 'float32', ['batch', classes]);
  return forwardModel(build.graph('gru_classifier'));
}
