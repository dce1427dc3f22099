import { int } from '../graph-builder.ts';
import {
  assembled,
  byTransposed,
  type DirectionGradients,
  directionOf,
  gatesOf,
  initialState,
  outer,
  pick,
  recurrentSizes,
  type Sizes,
  scan,
  shifted,
  sumOverSteps,
  zeroState,
} from './recurrent.ts';
import type { GradientContext, Rule, ShapeContext } from './rule.ts';

const gates = 4;

function sizesOf(context: ShapeContext): Sizes {
  return recurrentSizes(context, gates, ['Sigmoid', 'Tanh', 'Tanh']);
}

/**
 * Long short-term memory: i, o, f = sigmoid(...), g = tanh(...), c' = f c + i g, h' = o tanh(c'). Hochreiter and Schmidhuber 1997, with
 * the forget gate of Gers et al. 2000.
 * The gates of all steps are made again by two large products, the cells, which the operator keeps to itself, by an elementwise Scan.
 */
export const lstm: Rule = {
  outputShapes(context) {
    const { steps, batch, hidden, reversed } = sizesOf(context);
    const state = [reversed.length, batch, hidden];
    return [[steps, reversed.length, batch, hidden], state, state];
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
  const { build, input, shape, gradientOf } = context;
  const direction = directionOf(context, sizes, gates, index);
  const { previous, inputWeight, recurrentWeight, inputBias, recurrentBias, isReversed } = direction;
  const backwards = !isReversed;

  const bias = build.node('Add', [inputBias, recurrentBias]);
  const products = [byTransposed(build, input(0), inputWeight), byTransposed(build, previous, recurrentWeight)];
  const sum = build.node('Add', [build.node('Add', products), bias]);
  const [inX, outX, forgetX, cellX] = gatesOf(build, sum, gates);
  const [enter, leave, forget] = [inX, outX, forgetX].map((value) => build.node('Sigmoid', [value]));
  const fresh = build.node('Tanh', [cellX]);

  const initialCell = initialState(context, index, 6);
  const [, cells] = scan(
    build,
    { states: [initialCell], inputs: [forget, build.node('Mul', [enter, fresh])], outputs: 1, backwards: isReversed },
    (inner, [cell], [kept, added]) => {
      const next = inner.node('Add', [inner.node('Mul', [cell, kept]), added]);
      return { states: [next], outputs: [inner.node('Identity', [next])] };
    },
  );
  const previousCells = shifted(build, cells, initialCell, isReversed);
  const squashed = build.node('Tanh', [cells]);
  const lastCell = gradientOf(2);

  const inputs = [
    direction.gradient,
    forget,
    build.node('Mul', [leave, tanhSlope(context, squashed)]),
    build.node('Mul', [fresh, sigmoidSlope(context, enter)]),
    build.node('Mul', [squashed, sigmoidSlope(context, leave)]),
    build.node('Mul', [previousCells, sigmoidSlope(context, forget)]),
    build.node('Mul', [enter, tanhSlope(context, fresh)]),
  ];
  const lastCellGradient = lastCell === undefined ? zeroState(context, index) : pick(build, lastCell, index, 0);
  const states = [direction.lastGradient, lastCellGradient];
  const [initial, initialCellGradient, ofGates] = scan(
    build,
    { states, inputs, outputs: 1, backwards },
    (inner, [state, cell], [gradient, f, cellSlope, iSlope, oSlope, fSlope, gSlope]) => {
      const dh = inner.node('Add', [state, gradient]);
      const dc = inner.node('Add', [cell, inner.node('Mul', [dh, cellSlope])]);
      const parts = [
        inner.node('Mul', [dc, iSlope]),
        inner.node('Mul', [dh, oSlope]),
        inner.node('Mul', [dc, fSlope]),
        inner.node('Mul', [dc, gSlope]),
      ];
      const all = inner.node('Concat', parts, { axis: int(1) });
      return {
        states: [inner.node('MatMul', [all, recurrentWeight]), inner.node('Mul', [dc, f])],
        outputs: [all],
      };
    },
  );
  const width = gates * sizes.hidden;
  const biasGradient = sumOverSteps(build, ofGates);
  return {
    x: build.node('MatMul', [ofGates, inputWeight]),
    inputWeight: outer(build, ofGates, input(0), [width, Number(shape(0)[2])]),
    recurrentWeight: outer(build, ofGates, previous, [width, sizes.hidden]),
    bias: build.node('Concat', [biasGradient, biasGradient], { axis: int(0) }),
    initial: [initial, initialCellGradient],
  };
}

/** s (1 - s) */
function sigmoidSlope({ build }: GradientContext, gate: string): string {
  return build.node('Mul', [gate, build.node('Sub', [build.float(1), gate])]);
}

/** 1 - t^2 */
function tanhSlope({ build }: GradientContext, value: string): string {
  return build.node('Sub', [build.float(1), build.node('Mul', [value, value])]);
}
