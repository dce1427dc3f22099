import { type GraphBuilder, int } from '../../graph-builder.ts';
import type { AttachedLoss, Loss, LossInputs } from '../loss.ts';
import { checkSetting } from './check-setting.ts';

export interface SoftmaxCrossEntropySpec {
  readonly kind: 'softmax-cross-entropy';
  /** Weight of each class, `[classes]`, positive. The mean divides by the sum of the examples' weights, as PyTorch does. */
  readonly classWeights?: readonly number[];
  /** Share of the target that is spread over all classes, in [0, 1) (Szegedy et al. 2016, section 7). */
  readonly labelSmoothing?: number;
  /** Examples of this class are left out, and so are those of a negative one. */
  readonly ignoreIndex?: number;
  /** Focal loss's gamma, 0 or at least 1 (Lin et al. 2017, arXiv:1708.02002, equation 4). */
  readonly focalGamma?: number;
}

interface Settings {
  readonly classes: number;
  readonly weights: readonly number[] | undefined;
  readonly smoothing: number;
  readonly ignoreIndex: number | undefined;
  readonly gamma: number;
}

/** -log softmax(scores)[label] and its variations; a label that is no class fails in the runtime. */
export function softmaxCrossEntropy(spec: SoftmaxCrossEntropySpec, classes: number): Loss {
  const { classWeights: weights, labelSmoothing: smoothing = 0, ignoreIndex, focalGamma: gamma = 0 } = spec;
  checkSetting(classes >= 2, 'the number of outputs', classes, 'at least 2: use binary-cross-entropy for one');
  checkSetting(
    weights === undefined ||
      (weights.length === classes && weights.every((w) => w > 0 && w < Number.POSITIVE_INFINITY)),
    'classWeights',
    weights,
    `${classes} positive numbers`,
  );
  checkSetting(smoothing >= 0 && smoothing < 1, 'labelSmoothing', smoothing, 'a number in [0, 1)');
  checkSetting(
    ignoreIndex === undefined || Number.isSafeInteger(ignoreIndex),
    'ignoreIndex',
    ignoreIndex,
    'an integer',
  );
  checkSetting(gamma === 0 || (gamma >= 1 && gamma <= 100), 'focalGamma', gamma, '0, or a number from 1 to 100');
  checkSetting(gamma === 0 || smoothing === 0, 'labelSmoothing', smoothing, '0 beside focalGamma');
  const settings = { classes, weights, smoothing, ignoreIndex, gamma };
  return {
    target: 'class',
    measure: {
      kind: 'hits',
      hits(build, { scores, target }) {
        const predicted = build.node('ArgMax', [scores], { axis: int(1), keepdims: int(0) });
        const { valid } = maskedLabels(build, target, ignoreIndex);
        const right = build.node('Equal', [predicted, target]);
        return valid === undefined ? right : build.node('And', [right, valid]);
      },
    },
    attach: (build, inputs) => attach(build, inputs, settings),
  };
}

/**
 * With q the one-hot target, smoothed, and w the class weights: -sum_c q_c w_c log p_c, whose gradient is p sum(q w) - q w. Focal:
 * -(1 - p_y)^g w_y log p_y, whose gradient is (p - onehot) w_y ((1 - p_y)^g - g p_y (1 - p_y)^(g-1) log p_y).
 */
function attach(build: GraphBuilder, { scores, target }: LossInputs, settings: Settings): AttachedLoss {
  const { classes, weights, smoothing, ignoreIndex, gamma } = settings;
  const { labels, valid } = maskedLabels(build, target, ignoreIndex);
  const logProbabilities = build.node('LogSoftmax', [scores], { axis: int(-1) });
  const column = build.node('Unsqueeze', [labels, build.ints([1])]);
  const chosen = build.node('GatherElements', [logProbabilities, column], { axis: int(1) });
  const times = (a: string, b: string | undefined) => (b === undefined ? a : build.node('Mul', [a, b]));

  const classWeights = weights && build.floats(weights);
  const weightOfLabel = classWeights && build.node('Gather', [classWeights, column]);
  const mask = valid && build.node('Unsqueeze', [build.node('Cast', [valid], { to: int(1) }), build.ints([1])]);
  /** [batch, 1]: what an example counts in the mean. */
  const exampleWeight = weightOfLabel && mask ? build.node('Mul', [weightOfLabel, mask]) : (weightOfLabel ?? mask);
  const weight =
    exampleWeight &&
    build.node('Max', [build.node('ReduceSum', [exampleWeight], { keepdims: int(0) }), build.float(1e-12)]);
  const counted = valid && build.node('ReduceSum', [build.node('Cast', [valid], { to: int(7) })], { keepdims: int(0) });

  const focus = gamma === 0 ? undefined : focalFactors(build, chosen, gamma);
  let perExample = times(times(build.node('Neg', [chosen]), focus?.value), exampleWeight);
  if (smoothing > 0) {
    const all = build.node('ReduceSum', [times(logProbabilities, classWeights), build.ints([1])], { keepdims: int(1) });
    const spread = times(build.node('Mul', [all, build.float(-smoothing / classes)]), mask);
    perExample = build.node('Add', [build.node('Mul', [perExample, build.float(1 - smoothing)]), spread]);
  }
  return {
    perExample,
    weight,
    counted,
    gradient(factor) {
      const offAndOn = build.floats([smoothing / classes, 1 - smoothing + smoothing / classes]);
      const onehot = build.node('OneHot', [labels, build.int(classes), offAndOn], { axis: int(-1) });
      const probabilities = build.node('Exp', [logProbabilities]);
      const count = weight ?? build.node('Cast', [build.node('Size', [labels])], { to: int(1) });
      const scale = build.node('Div', [factor, count]);
      if (smoothing > 0 && classWeights !== undefined) {
        const q = build.node('Mul', [onehot, classWeights]);
        const total = build.node('ReduceSum', [q, build.ints([1])], { keepdims: int(1) });
        const error = build.node('Sub', [build.node('Mul', [probabilities, total]), q]);
        return build.node('Mul', [error, times(scale, mask)]);
      }
      const error = build.node('Sub', [probabilities, onehot]);
      return build.node('Mul', [error, times(times(scale, exampleWeight), focus?.slope)]);
    },
  };
}

/** The labels with a class in place of those to be left out, and which those are not. */
function maskedLabels(build: GraphBuilder, labels: string, ignoreIndex: number | undefined) {
  if (ignoreIndex === undefined) return { labels, valid: undefined };
  const isClass = build.node('GreaterOrEqual', [labels, build.int(0)]);
  const isKept = build.node('Not', [build.node('Equal', [labels, build.int(ignoreIndex)])]);
  const valid = build.node('And', [isClass, isKept]);
  return { labels: build.node('Where', [valid, labels, build.int(0)]), valid };
}

/** (1 - p)^g, and what it makes of the gradient of -log p. @param logP [batch, 1] */
function focalFactors(build: GraphBuilder, logP: string, gamma: number): { value: string; slope: string } {
  const p = build.node('Exp', [logP]);
  const rest = build.node('Max', [build.node('Sub', [build.float(1), p]), build.float(0)]);
  const value = build.node('Pow', [rest, build.float(gamma)]);
  const lower = gamma === 1 ? p : build.node('Mul', [p, build.node('Pow', [rest, build.float(gamma - 1)])]);
  const bend = build.node('Mul', [build.node('Mul', [lower, logP]), build.float(gamma)]);
  return { value, slope: build.node('Sub', [value, bend]) };
}
