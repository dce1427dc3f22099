import { type GraphBuilder, int } from '../graph-builder.ts';

/** What a loss is attached to: scores [batch, classes] and labels [batch], an integer class each. */
export interface LossInputs {
  readonly logits: string;
  readonly labels: string;
  readonly classes: number;
}

/** The values that a loss makes. */
export interface AttachedLoss {
  /** Loss of each example, shape [batch, 1]. */
  readonly perExample: string;
  /** Appends d(`factor` * mean loss) / d logits, shape [batch, classes]; `factor` is a float32 scalar. */
  gradient(factor: string): string;
}

export type LossName = 'softmax-cross-entropy';

/** -log softmax(logits)[label]; its gradient is (softmax - onehot) / batch. */
function softmaxCrossEntropy(build: GraphBuilder, { logits, labels, classes }: LossInputs): AttachedLoss {
  const logProbabilities = build.node('LogSoftmax', [logits], { axis: int(-1) });
  const column = build.node('Unsqueeze', [labels, build.ints([1])]);
  const chosen = build.node('GatherElements', [logProbabilities, column], { axis: int(1) });
  return {
    perExample: build.node('Neg', [chosen]),
    gradient(factor) {
      const offAndOn = build.floats([0, 1]);
      const onehot = build.node('OneHot', [labels, build.int(classes), offAndOn], { axis: int(-1) });
      const error = build.node('Sub', [build.node('Exp', [logProbabilities]), onehot]);
      const count = build.node('Cast', [build.node('Size', [labels])], { to: int(1) });
      return build.node('Mul', [error, build.node('Div', [factor, count])]);
    },
  };
}

/** Losses by name: what attaches one to a graph. */
export const losses = { 'softmax-cross-entropy': softmaxCrossEntropy } satisfies Record<
  LossName,
  (build: GraphBuilder, inputs: LossInputs) => AttachedLoss
>;
