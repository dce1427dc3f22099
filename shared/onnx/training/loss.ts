import type { GraphBuilder } from '../graph-builder.ts';
import { type BinaryCrossEntropySpec, binaryCrossEntropy } from './losses/binary-cross-entropy.ts';
import { type HingeSpec, hinge } from './losses/hinge.ts';
import { type HuberSpec, huber, type MseSpec, mse } from './losses/regression.ts';
import { type SoftmaxCrossEntropySpec, softmaxCrossEntropy } from './losses/softmax-cross-entropy.ts';

/** What a loss is attached to, as names in the graph being built. */
export interface LossInputs {
  /** The model's output, shape [batch, outputs]. */
  readonly scores: string;
  /** Classes, int64 [batch], or values, float32 [batch, outputs]: as the loss wants. */
  readonly target: string;
}

/** The values that a loss makes. */
export interface AttachedLoss {
  /** Loss of each example, shape [batch, 1]; weighted where examples have weights. */
  readonly perExample: string;
  /** What the sum over `perExample` is divided by to make the mean, a float32 scalar. Absent: the number of examples. */
  readonly weight?: string;
  /** How many examples were not ignored, an int64 scalar. Absent: all. */
  readonly counted?: string;
  /** Appends d(`factor` * mean loss) / d scores, shape [batch, outputs]; `factor` is a float32 scalar. */
  gradient(factor: string): string;
}

/** How well a model does beside its loss: right answers can be counted, or variance is explained. */
export type Measure =
  | {
      readonly kind: 'hits' /** Appends which examples are right, bool [batch]. */;
      hits(build: GraphBuilder, inputs: LossInputs): string;
    }
  | { readonly kind: 'explained-variance' };

/** A loss with its settings, for a model of a known number of outputs. */
export interface Loss {
  readonly target: 'class' | 'value';
  readonly measure: Measure;
  attach(build: GraphBuilder, inputs: LossInputs): AttachedLoss;
}

/** A loss by its name, with settings. */
export type LossSpec = BinaryCrossEntropySpec | HingeSpec | HuberSpec | MseSpec | SoftmaxCrossEntropySpec;
export type LossName = LossSpec['kind'];

export const lossNames = [
  'binary-cross-entropy',
  'hinge',
  'huber',
  'mse',
  'softmax-cross-entropy',
] as const satisfies readonly LossName[];

/**
 * The loss that a specification means, for a model with `outputs` outputs.
 * @throws {FlError} `loss-invalid` if a setting is out of range or does not fit the outputs
 */
export function lossOf(spec: LossSpec, outputs: number): Loss {
  switch (spec.kind) {
    case 'binary-cross-entropy':
      return binaryCrossEntropy(spec, outputs);
    case 'hinge':
      return hinge(spec, outputs);
    case 'huber':
      return huber(spec);
    case 'mse':
      return mse(spec);
    case 'softmax-cross-entropy':
      return softmaxCrossEntropy(spec, outputs);
  }
}

/** Whether the model is to reproduce its own input: nothing is read from the labels. */
export function targetsFeatures(spec: LossSpec): boolean {
  return (spec.kind === 'mse' || spec.kind === 'huber') && spec.target === 'features';
}

/** Appends the mean loss over the batch, a scalar. */
export function meanLoss(build: GraphBuilder, { perExample, weight }: AttachedLoss): string {
  if (weight === undefined) return build.node('ReduceMean', [perExample], { keepdims: { kind: 'int', value: 0 } });
  const sum = build.node('ReduceSum', [perExample], { keepdims: { kind: 'int', value: 0 } });
  return build.node('Div', [sum, weight]);
}
