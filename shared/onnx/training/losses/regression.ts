import { type GraphBuilder, int } from '../../graph-builder.ts';
import type { Loss, LossInputs } from '../loss.ts';
import { checkSetting } from './check-setting.ts';

/** What a regression predicts: the labels, or the features themselves (an autoencoder). */
type RegressionTarget = 'labels' | 'features';

export interface MseSpec {
  readonly kind: 'mse';
  readonly target?: RegressionTarget;
}

export interface HuberSpec {
  readonly kind: 'huber';
  /** Where the square turns into a line, positive; default 1. */
  readonly delta?: number;
  readonly target?: RegressionTarget;
}

/** (score - value)^2, the mean over all outputs of all examples. */
export function mse(_: MseSpec): Loss {
  return regression({
    value: (build, difference) => build.node('Mul', [difference, difference]),
    slope: (build, difference) => build.node('Mul', [difference, build.float(2)]),
  });
}

/** d^2 / 2 up to |d| = delta, then delta (|d| - delta / 2) (Huber 1964): the mean over all outputs of all examples. */
export function huber({ delta = 1 }: HuberSpec): Loss {
  checkSetting(delta > 0 && delta < Number.POSITIVE_INFINITY, 'delta', delta, 'a positive number');
  const clipped = (build: GraphBuilder, difference: string) =>
    build.node('Clip', [difference, build.float(-delta), build.float(delta)]);
  return regression({
    // With c = clip(d): c (d - c / 2) is both branches.
    value(build, difference) {
      const slope = clipped(build, difference);
      const half = build.node('Mul', [slope, build.float(0.5)]);
      return build.node('Mul', [slope, build.node('Sub', [difference, half])]);
    },
    slope: clipped,
  });
}

interface Elementwise {
  value(build: GraphBuilder, difference: string): string;
  slope(build: GraphBuilder, difference: string): string;
}

function regression({ value, slope }: Elementwise): Loss {
  return {
    target: 'value',
    measure: { kind: 'explained-variance' },
    attach(build: GraphBuilder, { scores, target }: LossInputs) {
      const difference = build.node('Sub', [scores, target]);
      return {
        perExample: build.node('ReduceMean', [value(build, difference), build.ints([1])], { keepdims: int(1) }),
        gradient(factor) {
          const count = build.node('Cast', [build.node('Size', [scores])], { to: int(1) });
          return build.node('Mul', [slope(build, difference), build.node('Div', [factor, count])]);
        },
      };
    },
  };
}
