import { z } from 'zod';
import { FlError } from '../../../../shared/core/errors.ts';
import { issuesText } from '../issues.ts';

const name = z.string().min(1).max(200);
/** Numeric columns that a step is for. Default: all. */
const columns = z.array(name).min(1).optional();

/** What is done to the numeric columns, in order. Words become one 0/1 feature per category at the end. */
export const stepSchema = z.union([
  z.strictObject({ kind: z.literal('standardize'), columns }),
  z
    .strictObject({ kind: z.literal('clip'), by: z.literal('bounds'), low: z.number(), high: z.number(), columns })
    .refine(({ low, high }) => low < high, 'low must be less than high'),
  z.strictObject({ kind: z.literal('clip'), by: z.literal('deviations'), most: z.number().positive(), columns }),
  z
    .strictObject({
      kind: z.literal('clip'),
      by: z.literal('quantiles'),
      low: z.number().min(0).max(1).default(0.01),
      high: z.number().min(0).max(1).default(0.99),
      columns,
    })
    .refine(({ low, high }) => low < high, 'low must be less than high'),
  z.strictObject({ kind: z.literal('impute'), how: z.enum(['mean', 'median']), columns }),
  z.strictObject({ kind: z.literal('impute'), how: z.literal('constant'), value: z.number(), columns }),
  z.strictObject({
    kind: z.literal('impute'),
    how: z.literal('nearest'),
    neighbours: z.number().int().min(1).max(100).default(5),
    columns,
  }),
  z.strictObject({
    kind: z.literal('impute'),
    how: z.literal('iterative'),
    exchanges: z.number().int().min(1).max(100).default(5),
    ridge: z.number().positive().default(1),
    columns,
  }),
]);
export type Step = z.output<typeof stepSchema>;

/** What is known of a column beforehand; without it, everything is found from the summaries. */
const columnSchema = z.strictObject({
  name,
  /** `auto`: found by content, but kept although it looks like an identifier. */
  kind: z.enum(['numeric', 'categorical', 'drop', 'auto']).optional(),
  /** Cells that mean a missing value, beside the empty one, `?`, `NA` and the like. */
  missing: z.array(z.string()).default([]),
  /** Numbers outside count as missing. */
  range: z
    .tuple([z.number(), z.number()])
    .refine(([low, high]) => low < high, 'the first must be less than the second')
    .optional(),
  /** The categories, and so the order of their features; other words count as another value. */
  categories: z.array(z.string().min(1)).min(1).max(10_000).optional(),
});
export type ColumnDeclaration = z.output<typeof columnSchema>;

/** How much a silo's summary may tell. */
const disclosureSchema = z.strictObject({
  /** A category that fewer of a silo's rows share stays in the silo. */
  minimumCount: z.number().int().min(1).default(3),
  /** A column with fewer numbers in a silo gives none of its statistics. */
  minimumRows: z.number().int().min(1).default(1),
  /** A category that fewer silos name is not part of the agreement. */
  minimumSilos: z.number().int().min(1).default(1),
  /** Whether a column's smallest and largest number are told. */
  extremes: z.boolean().default(true),
  /** Significant digits that means and spreads are rounded to. Default: all. */
  digits: z.number().int().min(1).max(15).optional(),
  /** Differential privacy of one silo's summary: epsilon of one row, in Laplace noise. See docs/data.md for what it excludes. */
  epsilon: z.number().positive().max(100).optional(),
});
export type Disclosure = z.output<typeof disclosureSchema>;

/** Beyond ten deviations lies a typing error, and 1e9 of them must not blow up a client's gradient. */
const defaultSteps: Step[] = [
  { kind: 'standardize' },
  { kind: 'impute', how: 'mean' },
  { kind: 'clip', by: 'bounds', low: -10, high: 10 },
];

/** How tables become examples: plain JSON that all silos of a task share. */
export const pipelineSchema = z
  .strictObject({
    /** The column to predict: its values are the classes. */
    label: name,
    columns: z.array(columnSchema).max(10_000).default([]),
    steps: z.array(stepSchema).max(20).default(defaultSteps),
    /** Adds a 0/1 feature to each column with missing cells. */
    missingIndicator: z.boolean().default(true),
    /** 0/1 features per column of words; the rest is `other`. */
    maximumCategories: z.number().int().min(1).max(1000).default(32),
    disclosure: disclosureSchema.prefault({}),
  })
  .superRefine(({ columns, steps, disclosure }, context) => {
    const issue = (message: string) => context.addIssue({ code: 'custom', message });
    if (new Set(columns.map((column) => column.name)).size < columns.length) issue('columns: a name appears twice');
    if (disclosure.epsilon !== undefined && steps.some(needsMoreThanMoments)) {
      issue('disclosure.epsilon goes with standardize, impute mean or constant, and clip by bounds or deviations only');
    }
  });
export type Pipeline = z.output<typeof pipelineSchema>;
export type PipelineInput = z.input<typeof pipelineSchema>;

/** @throws {FlError} pipeline-invalid, naming every field that is wrong */
export function parsePipeline(input: unknown): Pipeline {
  const { data, error } = pipelineSchema.safeParse(input);
  if (error) throw new FlError('pipeline-invalid', issuesText(error));
  return data;
}

/** True for a step that asks for quantiles. */
export function needsQuantiles(step: Step): boolean {
  return (step.kind === 'clip' && step.by === 'quantiles') || (step.kind === 'impute' && step.how === 'median');
}

function needsMoreThanMoments(step: Step): boolean {
  return needsQuantiles(step) || (step.kind === 'impute' && (step.how === 'iterative' || step.how === 'nearest'));
}
