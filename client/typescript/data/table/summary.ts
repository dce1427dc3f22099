import { z } from 'zod';
import { FlError } from '../../../../shared/core/errors.ts';
import { issuesText } from '../issues.ts';
import { pipelineSchema } from './pipeline.ts';

const count = z.number().int().min(0);
const momentsSchema = z.strictObject({
  count: z.number().int().min(1),
  mean: z.number(),
  squares: z.number().min(0),
  min: z.number().optional(),
  max: z.number().optional(),
  integers: z.boolean(),
});
const buckets = z
  .array(z.tuple([z.number().int(), count]).readonly())
  .max(100_000)
  .readonly();

/**
 * What a silo tells about one column: no row, and as categories no value that fewer than `minimumCount` rows share. Moments are
 * exact unless the pipeline rounds or noises them, so a silo of a few rows gives these away.
 */
const columnSummarySchema = z.strictObject({
  name: z.string(),
  rows: count,
  missing: count,
  /**
   * How much the column looks like an identifier: rows and distinct values of silos with enough rows to tell, and whether each holds
   * nearly all whole numbers of its range, once each. Absent where no silo can tell.
   */
  uniqueness: z.strictObject({ rows: count, distinct: count, counter: z.boolean() }).optional(),
  numeric: momentsSchema.optional(),
  /** Where a step asks for quantiles. */
  quantiles: z
    .strictObject({ accuracy: z.number().gt(0).lt(1), zeros: count, positive: buckets, negative: buckets })
    .optional(),
  /** The most frequent values, how many rows have them, and in how many silos. */
  categories: z.array(z.tuple([z.string(), count, count])),
});
export type ColumnSummary = z.output<typeof columnSummarySchema>;

/** What leaves a silo so that all can agree on one encoding, and what several of them merge to: plain JSON. */
export const summarySchema = z.strictObject({
  format: z.literal('tributary-summary-1'),
  pipeline: pipelineSchema,
  /** How often the silos had agreed before: 0 for the raw columns. */
  exchange: count,
  silos: z.number().int().min(1),
  rows: count,
  /** False where column names are only positions. */
  named: z.boolean(),
  columns: z.array(columnSummarySchema),
  /** Every class of the label column and its rows. */
  labels: z.array(z.tuple([z.string(), count])),
  /** Where imputation by regression is under way: for each column with missing values, the products' sums over rows that have it. */
  products: z.array(z.strictObject({ column: z.string(), sums: z.array(z.number()) })).optional(),
});
export type Summary = z.output<typeof summarySchema>;

/** @throws {FlError} summary-invalid, naming every field that is wrong */
export function parseSummary(input: unknown): Summary {
  const { data, error } = summarySchema.safeParse(input);
  if (error) throw new FlError('summary-invalid', issuesText(error));
  return data;
}
