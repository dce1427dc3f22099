import { z } from 'zod';
import { type TicketId, ticketIdPattern } from '../core/names.ts';
import { clientIdSchema } from './api.ts';
import { taskIdSchema } from './task-config.ts';

/** What the round's steps hand to each other. The workflow passes keys, not data. */

const version = z.number().int().min(1);
const whole = z.number().int().min(0);
const objectKey = z.string().min(1).max(1024);

/** What a round execution is started with: make `version` of `task`. */
export const roundInputSchema = z.strictObject({ task: taskIdSchema, version, attempt: whole });
export type RoundInput = z.output<typeof roundInputSchema>;

/** Unique for each execution of a task, at most 80 characters as Step Functions wants. */
export function executionName({ task, version, attempt }: RoundInput): string {
  return `${task}-v${version}-a${attempt}`;
}

export const frozenSchema = z.discriminatedUnion('outcome', [
  z.strictObject({
    outcome: z.literal('frozen'),
    manifestKey: objectKey,
    tiles: z.array(z.strictObject({ tile: whole })).max(10_000),
  }),
  z.strictObject({ outcome: z.enum(['not-ready', 'superseded']) }),
]);
export type Frozen = z.output<typeof frozenSchema>;

export const aggregateInputSchema = z.strictObject({ manifestKey: objectKey, tile: whole });
const partSchema = z.strictObject({ partNumber: z.number().int().min(1).max(10_000), etag: z.string().min(1) });
export const aggregatedSchema = z.strictObject({ model: partSchema, state: partSchema.nullable() });
export type Aggregated = z.output<typeof aggregatedSchema>;

export const publishInputSchema = z.strictObject({ manifestKey: objectKey, parts: z.array(aggregatedSchema).min(1) });
export type PublishInput = z.output<typeof publishInputSchema>;

export const publishedSchema = z.strictObject({ task: taskIdSchema, version, manifestKey: objectKey });
export type Published = z.output<typeof publishedSchema>;

export const evaluationSchema = z.strictObject({
  loss: z.number(),
  accuracy: z.number().min(0).max(1),
  examples: whole,
});
export type Evaluation = z.output<typeof evaluationSchema>;

export const settleInputSchema = publishedSchema.extend({ evaluation: evaluationSchema.nullable() });
export type SettleInput = z.output<typeof settleInputSchema>;

export const releaseInputSchema = roundInputSchema.extend({
  error: z.string().max(200),
  cause: z.string().max(40_000),
});
export type ReleaseInput = z.output<typeof releaseInputSchema>;

const tileSchema = z.strictObject({ index: whole, start: whole, end: whole });
const partsUploadSchema = z.strictObject({ key: objectKey, uploadId: z.string().min(1) });

/** The frozen list of a round's updates. Everything after it is a pure function of it. */
export const manifestSchema = z.strictObject({
  task: taskIdSchema,
  version,
  attempt: whole,
  base: z.strictObject({ key: objectKey, dataOffset: whole, parameters: whole, stateKey: objectKey.optional() }),
  updates: z
    .array(
      z.strictObject({
        ticket: z
          .string()
          .regex(ticketIdPattern)
          .transform((id) => id as TicketId),
        client: clientIdSchema,
        sequence: z.string(),
        key: objectKey,
        etag: z.string().min(1),
        dataOffset: whole,
        sha256: z.string(),
        examples: z.number().int().min(1),
        staleness: whole,
        /** In (0, 1]; all together make one. */
        weight: z.number().gt(0).max(1),
        metrics: z.record(z.string(), z.number()),
      }),
    )
    .min(1),
  serverOptimizer: z.strictObject({
    kind: z.literal('sgd'),
    learningRate: z.number().positive(),
    momentum: z.number().min(0).lt(1),
  }),
  tiles: z.array(tileSchema).min(1),
  /** The safetensors header of the next model, as JSON: the first tile uploads it too. */
  header: z.string(),
  model: partsUploadSchema,
  state: partsUploadSchema.nullable(),
});
export type Manifest = z.output<typeof manifestSchema>;
