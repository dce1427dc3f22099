import type { GraphBuilder } from '../graph-builder.ts';

/** What the inputs of a training graph are called, beside the parameters, which keep their own names. */
export const inputNames = {
  features: 'X',
  labels: 'Y',
  learningRate: 'lr',
  indices: 'idx',
  proximal: 'mu',
  seed: 'seed',
} as const;

/** What the outputs of a training or evaluation graph are called, beside the updated parameters and state. */
export const outputNames = {
  loss: 'loss',
  losses: 'losses',
  lossSum: 'loss_sum',
  correct: 'correct',
  lossWeight: 'loss_weight',
  counted: 'counted',
  squaredError: 'squared_error',
  targetMean: 'target_mean',
  targetSquares: 'target_squares',
} as const;

/** Inputs that a training graph may have for each parameter NAME: `anchor/NAME` and so on. */
export const inputPrefixes = { state: 'state/', anchor: 'anchor/', control: 'control/', noise: 'noise/' } as const;

/** True for an input whose name `reserveNames` takes by itself. */
export function isScalarInput(name: string): boolean {
  return name === inputNames.proximal || name === inputNames.seed;
}

/** The number of steps done, float32: a state of its own. */
export const stepsName = `${inputPrefixes.state}steps`;

/** What an optimizer keeps of a parameter. */
export function stateName(slot: string, parameter: string): string {
  return `${inputPrefixes.state}${slot}/${parameter}`;
}

/** The output that holds a parameter, or a state, after the update. */
export function nextName(name: string): string {
  return `${name}.next`;
}

/** Keeps the names of a training graph's inputs and outputs from being given to anything in between. */
export function reserveNames(build: GraphBuilder, values: Iterable<string>): void {
  for (const name of [...Object.values(inputNames), ...Object.values(outputNames)]) build.reserve(name);
  for (const name of values) {
    build.reserve(name);
    build.reserve(nextName(name));
  }
}
