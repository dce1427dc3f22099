import { type GraphBuilder, int } from '../../graph-builder.ts';
import type { Tensor } from '../../tensor.ts';
import type { Optimizer, Updated, UpdateInputs } from '../optimizer.ts';
import { checkRange } from './check-setting.ts';

interface AdamSettings {
  /** In [0, 1); default 0.9. */
  readonly beta1?: number;
  /** In [0, 1); default 0.999. */
  readonly beta2?: number;
  /** Positive; default 1e-8. */
  readonly epsilon?: number;
}

export interface AdamSpec extends AdamSettings {
  readonly kind: 'adam';
  /** Multiple of the parameter added to its gradient; default 0. */
  readonly weightDecay?: number;
}

export interface AdamWSpec extends AdamSettings {
  readonly kind: 'adamw';
  /** Share of the parameter, times lr, taken off each step; default 0.01 (Loshchilov and Hutter 2019, arXiv:1711.05101). */
  readonly weightDecay?: number;
}

/** Adam (Kingma and Ba 2015, arXiv:1412.6980, algorithm 1) and AdamW, as PyTorch computes them. */
export function adam(spec: AdamSpec | AdamWSpec): Optimizer {
  const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weightDecay = spec.kind === 'adamw' ? 0.01 : 0 } = spec;
  checkRange('beta1', beta1, 0, 1);
  checkRange('beta2', beta2, 0, 1);
  checkRange('epsilon', epsilon, Number.MIN_VALUE, Number.POSITIVE_INFINITY);
  checkRange('weightDecay', weightDecay, 0, Number.POSITIVE_INFINITY);
  const decoupled = spec.kind === 'adamw';

  return {
    slots: ['mean', 'square'],
    counts: true,
    wants: 'gradient',
    begin(build, steps) {
      const times = (a: string, b: number) => build.node('Mul', [a, build.float(b)]);
      const correction = biasCorrection(build, steps, { beta1, beta2 });
      const floor = times(correction.root, epsilon);
      return (inputs: UpdateInputs): Updated => {
        const { rate, state } = inputs;
        let { parameter, gradient } = inputs;
        if (weightDecay > 0 && decoupled) {
          const keep = build.node('Sub', [build.float(1), times(rate, weightDecay)]);
          parameter = build.node('Mul', [parameter, keep]);
        } else if (weightDecay > 0) gradient = build.node('Add', [gradient, times(parameter, weightDecay)]);
        const before = state.get('mean') ?? '';
        const mean = build.node('Add', [before, times(build.node('Sub', [gradient, before]), 1 - beta1)]);
        const squared = times(build.node('Mul', [gradient, gradient]), 1 - beta2);
        const square = build.node('Add', [times(state.get('square') ?? '', beta2), squared]);
        // m / bias1 / (sqrt(v / bias2) + epsilon), with the corrections gathered in two scalars.
        const direction = build.node('Div', [mean, build.node('Add', [build.node('Sqrt', [square]), floor])]);
        const move = build.node('Mul', [direction, build.node('Mul', [rate, correction.step])]);
        return {
          parameter: build.node('Sub', [parameter, move]),
          state: new Map([
            ['mean', mean],
            ['square', square],
          ]),
        };
      };
    },
  };
}

/** sqrt(1 - beta2^t), and that over 1 - beta1^t. In float64: float32 loses four digits of 1 - 0.999. */
function biasCorrection(build: GraphBuilder, steps: string, { beta1, beta2 }: { beta1: number; beta2: number }) {
  const exponent = build.node('Cast', [steps], { to: int(11) });
  const one = build.constant('one', float64Scalar(1));
  const rest = (beta: number) => {
    const power = build.node('Pow', [build.constant('beta', float64Scalar(beta)), exponent]);
    return build.node('Sub', [one, power]);
  };
  const root = build.node('Sqrt', [rest(beta2)]);
  const step = build.node('Div', [root, rest(beta1)]);
  return { root: build.node('Cast', [root], { to: int(1) }), step: build.node('Cast', [step], { to: int(1) }) };
}

function float64Scalar(value: number): Tensor {
  return { type: 'float64', dims: [], data: new Uint8Array(Float64Array.of(value).buffer) };
}
