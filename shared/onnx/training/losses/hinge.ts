import { type GraphBuilder, int } from '../../graph-builder.ts';
import type { AttachedLoss, Loss, LossInputs } from '../loss.ts';
import { zeroOrOne } from './binary-cross-entropy.ts';
import { checkSetting } from './check-setting.ts';

export interface HingeSpec {
  readonly kind: 'hinge';
  /** Positive; default 1. */
  readonly margin?: number;
}

/**
 * One output: max(0, margin - t s) with t = -1 for class 0 and 1 for class 1. Several: sum over the wrong classes of
 * max(0, margin - s_label + s_wrong), divided by the number of classes, as PyTorch's MultiMarginLoss.
 */
export function hinge({ margin = 1 }: HingeSpec, outputs: number): Loss {
  checkSetting(margin > 0 && margin < Number.POSITIVE_INFINITY, 'margin', margin, 'a positive number');
  return {
    target: 'class',
    measure: {
      kind: 'hits',
      hits(build, { scores, target }) {
        if (outputs > 1)
          return build.node('Equal', [build.node('ArgMax', [scores], { axis: int(1), keepdims: int(0) }), target]);
        const positive = build.node('Squeeze', [build.node('Greater', [scores, build.float(0)]), build.ints([1])]);
        return build.node('Equal', [build.node('Cast', [positive], { to: int(7) }), target]);
      },
    },
    attach: (build, inputs) => (outputs > 1 ? several(build, inputs, margin, outputs) : one(build, inputs, margin)),
  };
}

function one(build: GraphBuilder, { scores, target }: LossInputs, margin: number): AttachedLoss {
  const doubled = build.node('Mul', [zeroOrOne(build, target), build.float(2)]);
  const sign = build.node('Sub', [doubled, build.float(1)]);
  const gap = build.node('Sub', [build.float(margin), build.node('Mul', [sign, scores])]);
  return {
    perExample: build.node('Relu', [gap]),
    gradient(factor) {
      const slope = build.node('Neg', [build.node('Mul', [sign, violations(build, gap)])]);
      return build.node('Mul', [slope, build.node('Div', [factor, examples(build, target)])]);
    },
  };
}

function several(build: GraphBuilder, { scores, target }: LossInputs, margin: number, classes: number): AttachedLoss {
  const column = build.node('Unsqueeze', [target, build.ints([1])]);
  const chosen = build.node('GatherElements', [scores, column], { axis: int(1) });
  const gap = build.node('Add', [build.node('Sub', [scores, chosen]), build.float(margin)]);
  const wrong = build.node('OneHot', [target, build.int(classes), build.floats([1, 0])], { axis: int(-1) });
  const misses = build.node('Mul', [build.node('Relu', [gap]), wrong]);
  return {
    perExample: build.node('Div', [
      build.node('ReduceSum', [misses, build.ints([1])], { keepdims: int(1) }),
      build.float(classes),
    ]),
    gradient(factor) {
      const violated = build.node('Mul', [violations(build, gap), wrong]);
      const total = build.node('ReduceSum', [violated, build.ints([1])], { keepdims: int(1) });
      const right = build.node('Mul', [build.node('Sub', [build.float(1), wrong]), total]);
      const count = build.node('Mul', [examples(build, target), build.float(classes)]);
      return build.node('Mul', [build.node('Sub', [violated, right]), build.node('Div', [factor, count])]);
    },
  };
}

/** 1 where the margin is not kept, else 0. */
function violations(build: GraphBuilder, gap: string): string {
  return build.node('Cast', [build.node('Greater', [gap, build.float(0)])], { to: int(1) });
}

function examples(build: GraphBuilder, target: string): string {
  return build.node('Cast', [build.node('Size', [target])], { to: int(1) });
}
