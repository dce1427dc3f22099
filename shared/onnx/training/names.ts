import type { GraphBuilder } from '../graph-builder.ts';

/** What the inputs of a training graph are called, beside the parameters, which keep their own names. */
export const inputNames = { features: 'X', labels: 'Y', learningRate: 'lr', indices: 'idx' } as const;

/** What the outputs of a training graph are called, beside the updated parameters. */
export const outputNames = { loss: 'loss', losses: 'losses', lossSum: 'loss_sum', correct: 'correct' } as const;

/** The output that holds a parameter after the update. */
export function nextName(parameter: string): string {
  return `${parameter}.next`;
}

/** Keeps the names of a training graph's inputs and outputs from being given to anything in between. */
export function reserveNames(build: GraphBuilder, parameters: Iterable<{ readonly name: string }>): void {
  for (const name of [...Object.values(inputNames), ...Object.values(outputNames)]) build.reserve(name);
  for (const { name } of parameters) {
    build.reserve(name);
    build.reserve(nextName(name));
  }
}
