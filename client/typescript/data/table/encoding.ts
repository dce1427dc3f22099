import { z } from 'zod';
import { FlError } from '../../../../shared/core/errors.ts';
import { issuesText } from '../issues.ts';
import { pipelineSchema } from './pipeline.ts';

const name = z.string();
const number = z.number();

/** A step with its statistics filled in: all that is needed to apply it to any row. */
export const fittedStepSchema = z.discriminatedUnion('kind', [
  /** (x - mean) / deviation */
  z.strictObject({
    kind: z.literal('scale'),
    columns: z.array(z.strictObject({ name, mean: number, deviation: number.positive() })),
  }),
  z.strictObject({ kind: z.literal('clip'), columns: z.array(z.strictObject({ name, low: number, high: number })) }),
  z.strictObject({ kind: z.literal('fill'), columns: z.array(z.strictObject({ name, value: number })) }),
  /** `value` where no neighbour has one. */
  z.strictObject({
    kind: z.literal('fill-nearest'),
    neighbours: z.number().int().min(1),
    columns: z.array(z.strictObject({ name, value: number })),
  }),
  /** Linear regressions of each column on all others, in units of (x - mean) / deviation. */
  z.strictObject({
    kind: z.literal('fill-regression'),
    ridge: number.positive(),
    /** Exchanges until it is fitted. */
    left: z.number().int().min(0),
    columns: z.array(z.strictObject({ name, mean: number, deviation: number.positive(), incomplete: z.boolean() })),
    /** One for each incomplete column; none before the first exchange, when the mean is filled in. */
    regressions: z.array(z.strictObject({ column: name, intercept: number, coefficients: z.array(number) })),
  }),
]);
export type FittedStep = z.output<typeof fittedStepSchema>;
export type FittedStepOf<K extends FittedStep['kind']> = Extract<FittedStep, { kind: K }>;

/** How one column becomes features. `missing` adds a 0/1 feature that says the cell was empty. */
const columnRuleSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('numeric'), name, missing: z.boolean() }),
  z.strictObject({
    kind: z.literal('categorical'),
    name,
    /** One 0/1 feature each: as declared, or the most frequent first. */
    categories: z.array(z.string()),
    /** One more 0/1 feature for every other value. */
    other: z.boolean(),
    missing: z.boolean(),
  }),
]);
export type ColumnRule = z.output<typeof columnRuleSchema>;

/** The most features of an example: a few bytes of an encoding may not ask for more memory than any table has. */
export const mostFeatures = 20_000;

/** What all silos encode by: plain JSON. */
export const encodingSchema = z
  .strictObject({
    format: z.literal('tributary-encoding-1'),
    pipeline: pipelineSchema,
    /** How often the silos have agreed. */
    exchanges: z.number().int().min(1),
    /** True if every step of the pipeline is fitted; else the silos summarise again, under this encoding. */
    complete: z.boolean(),
    classes: z.array(z.string()).min(2),
    /** Rows of each class in all silos, for class weights. */
    classCounts: z.array(z.number().int().min(0)).min(2),
    columns: z.array(columnRuleSchema).min(1),
    steps: z.array(fittedStepSchema).max(20),
    notes: z.array(z.string()),
  })
  .superRefine((encoding, context) => {
    for (const fault of faultsOf(encoding)) context.addIssue({ code: 'custom', message: fault });
  });
export type Encoding = z.output<typeof encodingSchema>;

/** What does not fit together: an encoding is somebody else's file, and rows are encoded by it without another look. */
function* faultsOf({
  columns,
  classes,
  classCounts,
  steps,
}: Pick<Encoding, 'columns' | 'classes' | 'classCounts' | 'steps'>) {
  const numeric = new Set(numericNames({ columns }));
  const features = columns.reduce((sum, rule) => sum + featureNames(rule).length, 0);
  if (new Set(columns.map(({ name }) => name)).size < columns.length) yield 'columns: a name appears twice';
  if (new Set(classes).size < classes.length) yield 'classes: a class appears twice';
  if (classCounts.length !== classes.length) yield 'classCounts: expected one for each class';
  if (features < 1 || features > mostFeatures) yield `columns: ${features} features, expected 1 to ${mostFeatures}`;
  for (const step of steps) {
    const names = step.columns.map(({ name }) => name);
    const known = new Set(names);
    if (known.size < names.length) yield `steps: ${step.kind} names a column twice`;
    if (!names.every((name) => numeric.has(name))) yield `steps: ${step.kind} names a column that is not numeric`;
    if (step.kind !== 'fill-regression') continue;
    const fits = step.regressions.every(
      ({ column, coefficients }) => known.has(column) && coefficients.length === names.length,
    );
    if (!fits) yield 'steps: fill-regression has a regression of other columns';
  }
}

/** @throws {FlError} encoding-invalid, naming every field that is wrong */
export function parseEncoding(input: unknown): Encoding {
  const { data, error } = encodingSchema.safeParse(input);
  if (error) throw new FlError('encoding-invalid', issuesText(error));
  return data;
}

/** The features that a rule makes, in order. */
export function featureNames(rule: ColumnRule): string[] {
  const indicator = rule.missing ? [`${rule.name} missing`] : [];
  if (rule.kind === 'numeric') return [rule.name, ...indicator];
  const other = rule.other ? [`${rule.name}: other`] : [];
  return [...rule.categories.map((category) => `${rule.name}=${category}`), ...other, ...indicator];
}

/** The names of the numeric columns, in order. */
export function numericNames({ columns }: Pick<Encoding, 'columns'>): string[] {
  return columns.filter(({ kind }) => kind === 'numeric').map((rule) => rule.name);
}
