import type { GraphBuilder } from '../graph-builder.ts';
import { lossOf, targetsFeatures } from './loss.ts';
import { inputNames } from './names.ts';
import type { Trainable } from './trainable.ts';
import type { Training } from './training-spec.ts';

/** Declares the labels as the loss wants them, if it reads any: int64 [axis], or float32 [axis, outputs]. */
export function appendLabels(build: GraphBuilder, model: Trainable, { loss }: Training, axis: string): string {
  if (targetsFeatures(loss)) return '';
  return lossOf(loss, model.outputs).target === 'class'
    ? build.input(inputNames.labels, 'int64', [axis])
    : build.input(inputNames.labels, 'float32', [axis, model.outputs]);
}
