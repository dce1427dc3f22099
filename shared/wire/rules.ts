import { z } from 'zod';
import type { Attackers } from '../core/aggregator/attackers.ts';
import { text } from './text.ts';

/**
 * The share of a round that rules guard against unless told. A buffer of 20 out of 50 clients, 10 of them malicious, holds
 * more than 20% of these in every third round, and more than 30% in one of 27 (hypergeometric).
 */
const expectedAttackers = 0.3;

const saidAttackers = [
  z.strictObject({ fraction: z.number().min(0).lt(0.5) }),
  z.strictObject({ count: z.number().int().min(0).max(5_000) }),
] as const;

/** How many of a round's updates a rule must withstand: `0.3` is a fraction of the round's updates, `2` a count. */
const attackers = z
  .union([z.number().min(0).lt(0.5), z.number().int().min(1).max(5_000), ...saidAttackers])
  .transform((given): Attackers => {
    if (typeof given !== 'number') return given;
    return given < 0.5 ? { fraction: given } : { count: given };
  })
  .pipe(z.union(saidAttackers));
const attackersSchema = attackers.prefault(expectedAttackers);

const radius = z.number().positive();

/** An L2 norm, or a quantile of the round's own norms. */
const clippingBoundSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('fixed'), norm: radius }),
  z.strictObject({ kind: z.literal('quantile'), quantile: z.number().gt(0).max(1) }),
]);

/** Which anomaly scores are too high. */
const thresholdSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('contamination'), fraction: z.number().min(0).lt(0.5) }),
  z.strictObject({ kind: z.literal('robust-z'), limit: z.number().positive() }),
]);

/** What the outlier detectors look at, and how far back. */
const outlier = {
  coordinates: z.number().int().min(0).max(256).default(0),
  root: z.boolean().default(false),
  losses: z.boolean().default(false),
  window: z.number().int().min(1).max(5_000).default(256),
  warmUp: z.number().int().min(1).max(5_000).default(16),
};

/** Which metric of the clients is their loss, and how far above the median it may be believed. */
const clientLoss = {
  metric: text(40).min(1).default('trainLoss'),
  limit: z.number().min(1).default(10),
};

/** Clients that a rule remembers. */
const maxClients = z.number().int().min(1).max(100_000).default(10_000);

/** One rule of the judge step; its file in shared/core says what it does and cites its paper. */
export const ruleSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('norm-clipping'),
    bound: clippingBoundSchema.prefault({ kind: 'quantile', quantile: 0.5 }),
  }),
  z.strictObject({ kind: z.literal('median') }),
  z.strictObject({ kind: z.literal('trimmed-mean'), attackers: attackersSchema }),
  z.strictObject({ kind: z.literal('krum'), attackers: attackersSchema }),
  z.strictObject({
    kind: z.literal('multi-krum'),
    attackers: attackersSchema,
    keep: z.number().int().min(1).optional(),
  }),
  /** 4f + 3 updates are needed: 0.3 of a round would be too many for any. */
  z.strictObject({ kind: z.literal('bulyan'), attackers: attackers.prefault(0.2) }),
  z.strictObject({ kind: z.literal('nearest-neighbour-mixing'), attackers: attackersSchema }),
  z.strictObject({ kind: z.literal('bucketing'), size: z.number().int().min(1).max(1_000).default(2) }),
  z.strictObject({
    kind: z.literal('centred-clipping'),
    radius: radius.default(1),
    iterations: z.number().int().min(1).max(1_000).default(3),
    start: z.enum(['zero', 'previous']).default('previous'),
  }),
  z.strictObject({
    kind: z.literal('geometric-median'),
    iterations: z.number().int().min(1).max(10_000).default(100),
    smoothing: z.number().positive().default(1e-6),
  }),
  z.strictObject({ kind: z.literal('fltrust') }),
  z.strictObject({
    kind: z.literal('isolation-forest'),
    ...outlier,
    threshold: thresholdSchema.prefault({ kind: 'contamination', fraction: expectedAttackers }),
    trees: z.number().int().min(1).max(1_000).default(100),
    /** The paper's 256 is the whole window here, and attackers of one kind would hide each other. */
    subsample: z.number().int().min(2).max(4_096).default(32),
  }),
  z.strictObject({
    kind: z.literal('autoencoder'),
    ...outlier,
    threshold: thresholdSchema.prefault({ kind: 'robust-z', limit: 3 }),
    hidden: z.number().int().min(1).max(256).default(8),
    bottleneck: z.number().int().min(1).max(256).default(2),
    epochs: z.number().int().min(1).max(1_000).default(40),
    learningRate: z.number().positive().max(1).default(0.01),
  }),
  z.strictObject({
    kind: z.literal('async-filter'),
    versions: z.number().int().min(1).max(1_000).default(32),
    separation: z.number().min(1).default(1.5),
    middleSeparation: z.number().min(1).default(2),
  }),
  z.strictObject({
    kind: z.literal('fools-gold'),
    confidence: z.number().positive().default(1),
    maxClients,
  }),
  z.strictObject({
    kind: z.literal('zeno'),
    rho: z.number().min(0).default(1e-4),
    suspects: z.number().int().min(0).max(5_000).default(1),
  }),
  z.strictObject({
    kind: z.literal('zeno-plus-plus'),
    rho: z.number().min(0).default(1e-3),
    epsilon: z.number().min(0).default(0.1),
  }),
  z.strictObject({
    kind: z.literal('q-fed-avg'),
    ...clientLoss,
    q: z.number().min(0).max(10).default(1),
    lipschitz: z.number().positive().default(20),
  }),
  z.strictObject({
    kind: z.literal('agnostic'),
    ...clientLoss,
    mixtureRate: z.number().positive().default(0.1),
    uniform: z.number().gt(0).max(1).default(0.1),
    maxClients,
  }),
  z.strictObject({
    kind: z.literal('contribution'),
    measure: z.enum(['cosine', 'leave-one-out']).default('cosine'),
    memory: z.number().min(0).lt(1).default(0.95),
    least: z.number().positive().max(1).default(0.1),
    maxClients,
  }),
]);
export type RuleConfig = z.output<typeof ruleSchema>;
export type RuleInput = z.input<typeof ruleSchema>;
