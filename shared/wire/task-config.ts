import { z } from 'zod';
import { contradictions } from '../core/aggregator/contradictions.ts';
import { codecKinds, codecSchema } from './codec-config.ts';
import { judgeSteps } from './judge-steps.ts';
import { methodContradictions, methodSchema } from './method.ts';
import { taskIdSchema } from './names.ts';
import { ruleSchema } from './rules.ts';
import { serverOptimizerSchema } from './server-optimizer.ts';
import { stalenessSchema } from './staleness.ts';
import { text } from './text.ts';

const milliseconds = (min: number, max: number) => z.number().int().min(min).max(max);
const day = 24 * 3600 * 1000;

/** When a round starts and what it takes in. */
const roundSchema = z.strictObject({
  /** `async`: FedBuff, a client may be stale. `sync`: FedAvg, the same machine with K = cohort size and maximum staleness 0. */
  mode: z.enum(['async', 'sync']).default('async'),
  /** K: a round starts when the buffer holds this many updates. */
  buffer: z.number().int().min(1).max(10_000).default(10),
  /** At the deadline a round starts with at least this many. */
  minimum: z.number().int().min(1).max(10_000).default(1),
  /** Milliseconds after the buffer's first update until the round starts with what is there. */
  deadlineMs: milliseconds(1_000, 30 * day).default(10 * 60_000),
  /** An update that is staler is quarantined. */
  maxStaleness: z.number().int().min(0).max(1_000_000).default(20),
});

/** Who may train at once, and for how long a ticket holds. */
const selectionSchema = z.strictObject({
  /** Open tickets at once. */
  concurrency: z.number().int().min(1).max(100_000).default(30),
  ticketLifetimeMs: milliseconds(1_000, 7 * day).default(15 * 60_000),
  /**
   * Clients that a synchronous round asks for each one that it needs, because some drop out; Bonawitz et al. 2019
   * (arXiv:1902.01046) take 1.3. What comes after the round is full is not used.
   */
  overSelection: z.number().min(1).max(10).default(1),
});

/** What becomes of updates once a version holds them. */
const retentionSchema = z.strictObject({
  /** Versions after which an update's bytes are deleted; 0: as soon as its own is settled. A lifecycle rule is the net. */
  updateVersions: z.number().int().min(0).max(1_000).default(0),
});

/** What a client does with a model: the training plan of every ticket. */
export const trainingPlanSchema = z.strictObject({
  localEpochs: z.number().int().min(1).max(1_000).default(1),
  batchSize: z.number().int().min(1).max(1_000_000).default(32),
  learningRate: z.number().positive().max(1_000).default(0.05),
  /** Seed of the clients' shuffling; each client forks its own stream from it. */
  seed: z.number().int().min(0).max(0xffff_ffff).default(1),
});
export type TrainingPlan = z.output<typeof trainingPlanSchema>;

/** Who is believed how much: rules of the judge step, in order. None: the weighted mean of all updates. */
const aggregationSchema = z.strictObject({ rules: z.array(ruleSchema).max(10).default([]) });

/**
 * Tensors of the model that are statistics of the data and no parameters, such as BatchNormalization's: averaged as they
 * are, whatever the server optimizer, and never across versions. `start` and `task create` fill them in.
 */
const statisticsSchema = z.strictObject({
  means: z.array(text(500).min(1)).max(10_000).default([]),
  /** Never below zero. */
  variances: z.array(text(500).min(1)).max(10_000).default([]),
});

/** Codecs whose error is relative to each value: a small variance stays one. */
const relativeCodecs: ReadonlySet<string> = new Set(['float32', 'fp16', 'bf16']);

/** How updates and models travel. */
const codecsSchema = z.strictObject({
  /** What clients are asked to write their updates with. */
  upload: codecSchema.prefault({ kind: 'float32' }),
  /** Kinds that are taken besides that one: a task may mix them. */
  accept: z.array(z.enum(codecKinds)).default([...codecKinds]),
  /**
   * How versions differ from the one before: then a client that has an earlier version downloads the differences. What
   * the codec leaves out is carried over to the next version, so models are exactly what the differences say.
   */
  download: codecSchema.optional(),
});

/** When a task ends by itself: at whichever comes first. */
const stopSchema = z.strictObject({
  rounds: z.number().int().min(1).max(1_000_000).optional(),
  /** Held-out accuracy in (0, 1]. */
  targetAccuracy: z.number().gt(0).max(1).optional(),
});

/** Everything that decides how a task trains. Strict: an unknown field is an error, not a silence. */
export const taskConfigSchema = z
  .strictObject({
    task: taskIdSchema,
    description: text(500).optional(),
    /** What the clients' data is used for: every ticket says it, and it never changes. */
    purpose: text(500).min(1).optional(),
    round: roundSchema.prefault({}),
    staleness: stalenessSchema.prefault({ kind: 'polynomial' }),
    /** `examples`: an update counts by its number of examples (FedAvg). `uniform`: every update counts the same. */
    weighting: z.enum(['examples', 'uniform']).default('examples'),
    /** What happens between the rules and the server optimizer; see shared/core/asynchronous. */
    method: methodSchema.prefault({ kind: 'fedbuff' }),
    aggregation: aggregationSchema.prefault({}),
    serverOptimizer: serverOptimizerSchema.prefault({ kind: 'sgd' }),
    codecs: codecsSchema.prefault({}),
    statistics: statisticsSchema.prefault({}),
    selection: selectionSchema.prefault({}),
    retention: retentionSchema.prefault({}),
    training: trainingPlanSchema.prefault({}),
    stop: stopSchema.prefault({}),
    /** The most bytes of parameters in one range; by default the planner chooses. S3 wants parts of at least 5 MiB. */
    tileBytes: z
      .number()
      .int()
      .min(5 * 1024 * 1024)
      .max(256 * 1024 * 1024)
      .optional(),
    /** The most examples that one update may claim. */
    maxExamples: z.number().int().min(1).max(1_000_000_000).default(1_000_000),
  })
  .superRefine(({ round, selection, aggregation, method, codecs, statistics }, context) => {
    // A field out of its bounds is still here, and what follows may not stand it.
    if (context.issues.length > 0) return;
    if (round.minimum > round.buffer) {
      context.addIssue({ code: 'custom', path: ['round', 'minimum'], message: 'must not exceed round.buffer' });
    }
    if (round.mode === 'sync' && round.maxStaleness !== 0) {
      context.addIssue({ code: 'custom', path: ['round', 'maxStaleness'], message: 'must be 0 in sync mode' });
    }
    if (round.mode === 'sync' && selection.concurrency < round.buffer) {
      context.addIssue({
        code: 'custom',
        path: ['selection', 'concurrency'],
        message: 'must be at least round.buffer in sync mode, or a round could never fill',
      });
    }
    const limits = { buffer: round.buffer, minimum: Math.min(round.minimum, round.buffer), secureAggregation: false };
    for (const message of contradictions(judgeSteps(aggregation.rules), limits)) {
      context.addIssue({ code: 'custom', path: ['aggregation', 'rules'], message });
    }
    for (const message of methodContradictions(method, { round, rules: aggregation.rules })) {
      context.addIssue({ code: 'custom', path: ['method'], message });
    }
    const hasStatistics = statistics.means.length + statistics.variances.length > 0;
    if (hasStatistics && method.kind !== 'fedbuff' && method.kind !== 'fedasync') {
      const message = `${method.kind} adds old updates up, which running statistics do not stand: freeze the normalization`;
      context.addIssue({ code: 'custom', path: ['method'], message });
    }
    if (hasStatistics && codecs.download && !relativeCodecs.has(codecs.download.kind)) {
      const message = `${codecs.download.kind} could make a running variance negative: choose fp16, or freeze the normalization`;
      context.addIssue({ code: 'custom', path: ['codecs', 'download'], message });
    }
    if (codecs.download?.kind === 'low-rank') {
      const message = 'low-rank cannot write a model tile by tile: choose int8, int4, top-k or another';
      context.addIssue({ code: 'custom', path: ['codecs', 'download'], message });
    }
  });

export type TaskConfig = z.output<typeof taskConfigSchema>;
/** What a person writes: everything but `task` has a default. */
export type TaskConfigInput = z.input<typeof taskConfigSchema>;
