import { intAttribute } from '../attributes.ts';
import { int } from '../graph-builder.ts';
import {
  assembled,
  byTransposed,
  type Direction,
  type DirectionGradients,
  directionOf,
  gatesOf,
  outer,
  recurrentSizes,
  type Sizes,
  scan,
  sumOverSteps,
} from './recurrent.ts';
import type { GradientContext, Rule, ShapeContext } from './rule.ts';

const gates = 3;

function sizesOf(context: ShapeContext): Sizes {
  return recurrentSizes(context, gates, ['Sigmoid', 'Tanh']);
}

/**
 * Gated recurrent unit: z, r = sigmoid(...), n = tanh(...), h' = (1 - z) n + z h. arXiv:1406.1078; the reset gate acts on h, or, with
 * linear_before_reset, on what the recurrent weight makes of h.
 * The gates of all steps are made again by a few large products; only the state's gradient goes step by step, by a Scan.
 */
export const gru: Rule = {
  outputShapes(context) {
    const { steps, batch, hidden, reversed } = sizesOf(context);
    return [
      [steps, reversed.length, batch, hidden],
      [reversed.length, batch, hidden],
    ];
  },
  differentiable: (input) => input !== 4,
  manyOutputs: true,
  gradients(context) {
    const sizes = sizesOf(context);
    return assembled(
      context,
      sizes.reversed.map((_, index) => gradientsOf(context, sizes, index)),
    );
  },
};

function gradientsOf(context: GradientContext, sizes: Sizes, index: number): DirectionGradients {
  const { build, node, input, shape } = context;
  const direction = directionOf(context, sizes, gates, index);
  const isLinear = intAttribute(node, 'linear_before_reset', 0) !== 0;
  const width = gates * sizes.hidden;
  const features = Number(shape(0)[2]);
  const steps = isLinear ? linearSteps(context, sizes, direction) : resetSteps(context, sizes, direction);
  const { update, reset, candidate, recurrentCandidate, initial } = steps;
  const ofInput = build.node('Concat', [update, reset, candidate], { axis: int(-1) });
  const ofState = build.node('Concat', [update, reset, recurrentCandidate], { axis: int(-1) });
  const recurrentWeight = () => {
    if (isLinear) return outer(build, ofState, direction.previous, [width, sizes.hidden]);
    const both = build.node('Concat', [update, reset], { axis: int(-1) });
    const parts = [
      outer(build, both, direction.previous, [2 * sizes.hidden, sizes.hidden]),
      outer(build, candidate, steps.candidateState, [sizes.hidden, sizes.hidden]),
    ];
    return build.node('Concat', parts, { axis: int(0) });
  };
  return {
    x: build.node('MatMul', [ofInput, direction.inputWeight]),
    inputWeight: outer(build, ofInput, input(0), [width, features]),
    recurrentWeight: recurrentWeight(),
    bias: build.node('Concat', [sumOverSteps(build, ofInput), sumOverSteps(build, ofState)], { axis: int(0) }),
    initial: [initial],
  };
}

/** Gradients of what the gates are made of, before their activations, for all steps. */
interface Steps {
  readonly update: string;
  readonly reset: string;
  readonly candidate: string;
  /** Of what the recurrent weight and bias add to the candidate. */
  readonly recurrentCandidate: string;
  /** What the candidate's recurrent weight was multiplied with. */
  readonly candidateState: string;
  readonly initial: string;
}

/** s (1 - s) */
function sigmoidSlope({ build }: GradientContext, gate: string): string {
  return build.node('Mul', [gate, build.node('Sub', [build.float(1), gate])]);
}

/** Slopes that both variants share: of h' to the update gate's and the candidate's argument. */
function commonSlopes(context: GradientContext, update: string, candidate: string, previous: string) {
  const { build } = context;
  const difference = build.node('Sub', [previous, candidate]);
  const square = build.node('Mul', [candidate, candidate]);
  return {
    update: build.node('Mul', [difference, sigmoidSlope(context, update)]),
    candidate: build.node('Mul', [
      build.node('Sub', [build.float(1), update]),
      build.node('Sub', [build.float(1), square]),
    ]),
  };
}

function linearSteps(context: GradientContext, _: Sizes, direction: Direction): Steps {
  const { build, input } = context;
  const { previous, recurrentWeight, inputWeight, inputBias, recurrentBias } = direction;
  const ofInput = build.node('Add', [byTransposed(build, input(0), inputWeight), inputBias]);
  const ofState = build.node('Add', [byTransposed(build, previous, recurrentWeight), recurrentBias]);
  const [updateX, resetX, candidateX] = gatesOf(build, ofInput, gates);
  const [updateH, resetH, linear] = gatesOf(build, ofState, gates);
  const update = build.node('Sigmoid', [build.node('Add', [updateX, updateH])]);
  const reset = build.node('Sigmoid', [build.node('Add', [resetX, resetH])]);
  const candidate = build.node('Tanh', [build.node('Add', [candidateX, build.node('Mul', [reset, linear])])]);
  const slopes = commonSlopes(context, update, candidate, previous);
  const resetSlope = build.node('Mul', [linear, sigmoidSlope(context, reset)]);
  const inputs = [direction.gradient, update, reset, slopes.update, slopes.candidate, resetSlope];
  const [initial, dUpdate, dReset, dCandidate, dLinear] = scan(
    build,
    { states: [direction.lastGradient], inputs, outputs: 4, backwards: !direction.isReversed },
    (inner, [state], [gradient, z, r, zSlope, nSlope, rSlope]) => {
      const arrived = inner.node('Add', [state, gradient]);
      const dz = inner.node('Mul', [arrived, zSlope]);
      const dn = inner.node('Mul', [arrived, nSlope]);
      const dr = inner.node('Mul', [dn, rSlope]);
      const dq = inner.node('Mul', [dn, r]);
      const all = inner.node('Concat', [dz, dr, dq], { axis: int(1) });
      const next = inner.node('Gemm', [all, recurrentWeight, inner.node('Mul', [arrived, z])]);
      return { states: [next], outputs: [dz, dr, dn, dq] };
    },
  );
  return {
    update: dUpdate,
    reset: dReset,
    candidate: dCandidate,
    recurrentCandidate: dLinear,
    candidateState: previous,
    initial,
  };
}

function resetSteps(context: GradientContext, { hidden }: Sizes, direction: Direction): Steps {
  const { build, input } = context;
  const { previous, recurrentWeight, inputWeight, inputBias, recurrentBias } = direction;
  const rows = (from: number, to: number) =>
    build.node('Slice', [recurrentWeight, build.ints([from * hidden]), build.ints([to * hidden]), build.ints([0])]);
  const [bothWeight, candidateWeight] = [rows(0, 2), rows(2, 3)];
  const bias = build.node('Add', [inputBias, recurrentBias]);
  const ofInput = build.node('Add', [byTransposed(build, input(0), inputWeight), bias]);
  const [updateX, resetX, candidateX] = gatesOf(build, ofInput, gates);
  const [updateH, resetH] = gatesOf(build, byTransposed(build, previous, bothWeight), 2);
  const update = build.node('Sigmoid', [build.node('Add', [updateX, updateH])]);
  const reset = build.node('Sigmoid', [build.node('Add', [resetX, resetH])]);
  const kept = build.node('Mul', [reset, previous]);
  const ofKept = byTransposed(build, kept, candidateWeight);
  const candidate = build.node('Tanh', [build.node('Add', [candidateX, ofKept])]);
  const slopes = commonSlopes(context, update, candidate, previous);
  const resetSlope = build.node('Mul', [previous, sigmoidSlope(context, reset)]);
  const inputs = [direction.gradient, update, reset, slopes.update, slopes.candidate, resetSlope];
  const [initial, dUpdate, dReset, dCandidate] = scan(
    build,
    { states: [direction.lastGradient], inputs, outputs: 3, backwards: !direction.isReversed },
    (inner, [state], [gradient, z, r, zSlope, nSlope, rSlope]) => {
      const arrived = inner.node('Add', [state, gradient]);
      const dz = inner.node('Mul', [arrived, zSlope]);
      const dn = inner.node('Mul', [arrived, nSlope]);
      const dKept = inner.node('MatMul', [dn, candidateWeight]);
      const dr = inner.node('Mul', [dKept, rSlope]);
      const direct = inner.node('Add', [inner.node('Mul', [arrived, z]), inner.node('Mul', [dKept, r])]);
      const both = inner.node('Concat', [dz, dr], { axis: int(1) });
      return { states: [inner.node('Gemm', [both, bothWeight, direct])], outputs: [dz, dr, dn] };
    },
  );
  return {
    update: dUpdate,
    reset: dReset,
    candidate: dCandidate,
    recurrentCandidate: dCandidate,
    candidateState: kept,
    initial,
  };
}
