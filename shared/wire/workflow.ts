import { z } from 'zod';
import { type TicketId, ticketIdPattern } from '../core/names.ts';
import { agentSchema } from './api.ts';
import { codecSchema, encodingSchema } from './codec-config.ts';
import { statementSchema } from './identity/statement.ts';
import { clientIdSchema, taskIdSchema } from './names.ts';
import { ruleSchema } from './rules.ts';
import { serverOptimizerSchema } from './server-optimizer.ts';

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
    /** The round has rules that look at whole updates. */
    judged: z.boolean(),
    /** They want the server's own update from its root data. */
    root: z.boolean(),
    /** They want the loss of every update on the held-out set, so many updates a cell. 0: they do not. */
    lossCells: whole,
    /** They want norms, inner products or sketches, a tile a cell. 0: they do not. */
    measureCells: whole,
    /** Cells of each level of the aggregation. */
    levels: z.array(z.number().int().min(1)).min(1),
  }),
  z.strictObject({ outcome: z.enum(['not-ready', 'superseded']) }),
]);
export type Frozen = z.output<typeof frozenSchema>;

/** What a step works on that is called once a round. */
export const manifestInputSchema = z.strictObject({ manifestKey: objectKey });
export type ManifestInput = z.output<typeof manifestInputSchema>;

/** What a step works on that is called once a cell. */
export const cellInputSchema = manifestInputSchema.extend({ cell: whole });
export type CellInput = z.output<typeof cellInputSchema>;

export const aggregateInputSchema = cellInputSchema.extend({ level: whole });
export type AggregateInput = z.output<typeof aggregateInputSchema>;

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

/** A vector of P parameters in one of the stores: an update, a model, or the state of an optimizer. */
export const vectorSchema = z.strictObject({
  store: z.enum(['updates', 'models']),
  key: objectKey,
  etag: z.string().min(1).optional(),
  /** Where its data starts in the file, in bytes. */
  dataOffset: whole,
  /** How it is encoded; absent for plain float32. */
  encoding: encodingSchema.optional(),
});
export type VectorLocation = z.output<typeof vectorSchema>;
/** One term of a sum of vectors; the weight may be negative. */
const weightedVectorSchema = z.strictObject({ location: vectorSchema, weight: z.number() });
export type WeightedVector = z.output<typeof weightedVectorSchema>;

/** What the rules of a round are and what they look at. */
const judgeSchema = z.strictObject({
  /** In order. */
  rules: z.array(ruleSchema).min(1),
  /** Vectors that rules compare the updates with; vector K + i is reference i, a combination of what lies in the stores. */
  references: z.array(z.strictObject({ name: z.enum(['root', 'previous']), terms: z.array(weightedVectorSchema) })),
  /** Inner products of every pair, squared norms alone, or neither. */
  products: z.enum(['gram', 'norms', 'none']),
  /** Length of the random projections; 0 if no rule wants them. */
  sketchSize: whole,
  /** Updates that one cell evaluates on the held-out set; 0 if no rule wants their losses. */
  lossesPerCell: whole,
});

/** How an asynchronous method keeps a running direction: both it and the step's direction combine the kept one and the round's sum. */
const calibrationSchema = z.strictObject({
  next: z.strictObject({ state: z.number(), sum: z.number() }),
  direction: z.strictObject({ state: z.number(), sum: z.number() }),
});

const manifestFields = z.strictObject({
  task: taskIdSchema,
  version,
  attempt: whole,
  base: z.strictObject({
    key: objectKey,
    dataOffset: whole,
    parameters: whole,
    /** State vector's name -> file, laid out like the model. */
    stateKeys: z.record(z.string(), objectKey).default({}),
    ruleStateKey: objectKey.optional(),
    cacheKey: objectKey.optional(),
  }),
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
        encoding: encodingSchema.optional(),
        sha256: z.string(),
        examples: z.number().int().min(1),
        staleness: whole,
        /** In [0, 1]; all together make one. What rules make of it is in the verdict. */
        weight: z.number().min(0).max(1),
        metrics: z.record(z.string(), z.number()),
        agent: agentSchema.optional(),
        /** What the client signed: who contributed this can be proved by it. */
        statement: statementSchema,
      }),
    )
    .min(1),
  /** Present if rules judge the updates before they are aggregated. */
  judge: judgeSchema.optional(),
  /** Present if the method keeps each client's latest update for later rounds, those in so many versions at most. */
  cache: z.strictObject({ delayLimit: z.number().int().min(1).optional() }).optional(),
  /** Vectors besides the updates that enter the sum: cached updates, earlier models. */
  references: z.array(weightedVectorSchema),
  /** How an asynchronous method keeps its running direction; absent where it keeps none. */
  calibration: calibrationSchema.optional(),
  /** Multiplies the round's direction before the server optimizer sees it, in (0, 1]. */
  stepScale: z.number().gt(0).max(1),
  /** Running statistics of the model, present if it has any. */
  statistics: z
    .strictObject({
      /** Element ranges that hold them; variances are never below zero. */
      ranges: z.array(z.strictObject({ start: whole, end: whole, isVariance: z.boolean() })),
      /** Earlier models that updates of the round started from. */
      bases: z.array(z.strictObject({ staleness: z.number().int().min(1), location: vectorSchema })),
    })
    .optional(),
  serverOptimizer: serverOptimizerSchema,
  /** How the version's difference to the one before is written for clients that have that one; absent if it is not. */
  download: codecSchema.optional(),
  /** Optimizer steps taken before this one, and the largest staleness of the round. */
  optimizerRound: z.strictObject({ step: whole, maxStaleness: whole }),
  plan: z.strictObject({
    tiles: z.array(tileSchema).min(1).max(10_000),
    levels: z.array(z.number().int().min(1).max(10_000)).min(1).max(10),
  }),
  /** The safetensors header of the next model, as JSON: the first tile uploads it too. */
  header: z.string(),
  model: partsUploadSchema,
  /** State vectors of the next version, in the optimizer's order. */
  state: z.array(partsUploadSchema.extend({ name: z.string() })),
});

/** The frozen list of a round's updates. Everything after it is a pure function of it. */
export const manifestSchema = manifestFields.superRefine(({ plan: { tiles }, base }, context) => {
  if (context.issues.length > 0) return;
  const follows = tiles.every(
    ({ index, start, end }, i) => index === i && start === (tiles[i - 1]?.end ?? 0) && start <= end,
  );
  if (follows && tiles.at(-1)?.end === base.parameters) return;
  const message = `must follow each other from 0 to ${base.parameters}`;
  context.addIssue({ code: 'custom', path: ['plan', 'tiles'], message });
});
export type Manifest = z.output<typeof manifestSchema>;
