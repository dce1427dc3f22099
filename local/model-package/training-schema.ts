import { z } from 'zod';
import type { TrainingSpec } from '../../shared/onnx/training/training-spec.ts';

const positive = z.number().positive();
const share = z.number().min(0).lt(1);
const atLeastZero = z.number().min(0);
const target = z.enum(['labels', 'features']);

/** A loss with its settings; which of them fit the model, building the package says. */
export const lossSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('softmax-cross-entropy'),
    classWeights: z.array(positive).max(1_000_000).optional(),
    labelSmoothing: share.optional(),
    ignoreIndex: z.number().int().optional(),
    focalGamma: atLeastZero.optional(),
  }),
  z.strictObject({
    kind: z.literal('binary-cross-entropy'),
    posWeight: z.union([positive, z.array(positive).max(1_000_000)]).optional(),
  }),
  z.strictObject({ kind: z.literal('mse'), target: target.optional() }),
  z.strictObject({ kind: z.literal('huber'), delta: positive.optional(), target: target.optional() }),
  z.strictObject({ kind: z.literal('hinge'), margin: positive.optional() }),
]);

const adam = {
  beta1: share.optional(),
  beta2: share.optional(),
  epsilon: positive.optional(),
  weightDecay: atLeastZero.optional(),
};
export const optimizerSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('sgd'),
    momentum: share.optional(),
    nesterov: z.boolean().optional(),
    weightDecay: atLeastZero.optional(),
  }),
  z.strictObject({ kind: z.literal('adam'), ...adam }),
  z.strictObject({ kind: z.literal('adamw'), ...adam }),
]);

export const clipSchema = z.strictObject({ kind: z.enum(['norm', 'value']), max: positive });
export const privacySchema = z.strictObject({ clipNorm: positive, noiseMultiplier: atLeastZero });
const patterns = z.array(z.string().min(1).max(500)).max(1_000);

/** How a model is trained, as task files and manifests write it. */
export const trainingSpecSchema = z.strictObject({
  loss: lossSchema,
  optimizer: optimizerSchema.optional(),
  clip: clipSchema.optional(),
  freeze: patterns.optional(),
  rateMultipliers: z
    .array(z.strictObject({ pattern: z.string().min(1).max(500), multiplier: atLeastZero }))
    .max(1_000)
    .optional(),
  proximal: z.boolean().optional(),
  control: z.boolean().optional(),
  privacy: privacySchema.optional(),
}) satisfies z.ZodType<TrainingSpec>;
