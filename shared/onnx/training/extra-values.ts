import { inputNames, inputPrefixes, stateName, stepsName } from './names.ts';
import { optimizerOf } from './optimizer.ts';
import type { Trainable } from './trainable.ts';
import type { Training } from './training-spec.ts';

/** Name and shape of an input beside parameters, examples and learning rate. */
export interface ExtraValue {
  readonly name: string;
  readonly shape: readonly number[];
}

/** What a training graph takes beside parameters, examples and learning rate; all float32. */
export interface ExtraValues {
  /** Goes from step to step; zeros before the first. */
  readonly state: readonly ExtraValue[];
  /** The same in all steps. */
  readonly fixed: readonly ExtraValue[];
  /** New in each step. */
  readonly perStep: readonly ExtraValue[];
}

export function extraValues({ layout, statistics, dropouts }: Trainable, training: Training): ExtraValues {
  const { slots, counts } = optimizerOf(training.optimizer);
  const each = (nameOf: (parameter: string) => string): ExtraValue[] =>
    layout.tensors.flatMap(({ name, shape }) => (statistics.has(name) ? [] : [{ name: nameOf(name), shape }]));
  const { anchor, control, noise } = inputPrefixes;
  return {
    state: [
      ...(counts || dropouts.length > 0 ? [{ name: stepsName, shape: [] }] : []),
      ...slots.flatMap((slot) => each((name) => stateName(slot, name))),
    ],
    fixed: [
      ...(training.proximal ? [{ name: inputNames.proximal, shape: [] }, ...each((name) => anchor + name)] : []),
      ...(dropouts.length > 0 ? [{ name: inputNames.seed, shape: [] }] : []),
      ...(training.control ? each((name) => control + name) : []),
    ],
    perStep: training.privacy && training.privacy.noiseMultiplier > 0 ? each((name) => noise + name) : [],
  };
}
