import { type GraphBuilder, int } from '../../graph-builder.ts';
import type { AttachedLoss, Loss, LossInputs } from '../loss.ts';
import { checkSetting } from './check-setting.ts';

export interface BinaryCrossEntropySpec {
  readonly kind: 'binary-cross-entropy';
  /** What a positive counts beside a negative: one number, or one for each output. */
  readonly posWeight?: number | readonly number[];
}

/**
 * (1 - y) s + (1 + (w - 1) y) log(1 + e^-s), the mean over all outputs of all examples. One output takes classes 0 and 1; several take a
 * value in [0, 1] for each. An example is right if all its outputs are on the right side of 1/2.
 */
export function binaryCrossEntropy({ posWeight = 1 }: BinaryCrossEntropySpec, outputs: number): Loss {
  const weights = typeof posWeight === 'number' ? [posWeight] : posWeight;
  checkSetting(
    (weights.length === 1 || weights.length === outputs) && weights.every((w) => w > 0 && w < Number.POSITIVE_INFINITY),
    'posWeight',
    posWeight,
    `one positive number or ${outputs}`,
  );
  const values = (build: GraphBuilder, target: string) => (outputs === 1 ? zeroOrOne(build, target) : target);
  return {
    target: outputs === 1 ? 'class' : 'value',
    measure: {
      kind: 'hits',
      hits(build, { scores, target }) {
        const wanted = build.node('Greater', [values(build, target), build.float(0.5)]);
        const same = build.node('Equal', [build.node('Greater', [scores, build.float(0)]), wanted]);
        const all = build.node('ReduceMin', [build.node('Cast', [same], { to: int(6) }), build.ints([1])], {
          keepdims: int(0),
        });
        return build.node('Cast', [all], { to: int(9) });
      },
    },
    attach: (build, { scores, target }) => attach(build, { scores, target: values(build, target) }, weights),
  };
}

function attach(build: GraphBuilder, { scores, target }: LossInputs, posWeights: readonly number[]): AttachedLoss {
  const negative = build.node('Sub', [build.float(1), target]);
  const plain = posWeights.every((weight) => weight === 1);
  const extra = build.floats(posWeights.map((weight) => weight - 1));
  const weight = plain ? undefined : build.node('Add', [build.node('Mul', [target, extra]), build.float(1)]);
  const weighted = (value: string) => (weight === undefined ? value : build.node('Mul', [value, weight]));
  const softplus = build.node('Softplus', [build.node('Neg', [scores])]);
  const value = build.node('Add', [build.node('Mul', [negative, scores]), weighted(softplus)]);
  return {
    perExample: build.node('ReduceMean', [value, build.ints([1])], { keepdims: int(1) }),
    gradient(factor) {
      const miss = weighted(build.node('Sigmoid', [build.node('Neg', [scores])]));
      const count = build.node('Cast', [build.node('Size', [scores])], { to: int(1) });
      return build.node('Mul', [build.node('Sub', [negative, miss]), build.node('Div', [factor, count])]);
    },
  };
}

/** Classes 0 and 1, int64 [batch], as float32 [batch, 1]; any other fails in the runtime. */
export function zeroOrOne(build: GraphBuilder, labels: string): string {
  return build.node('Gather', [build.floats([0, 1]), build.node('Unsqueeze', [labels, build.ints([1])])]);
}
