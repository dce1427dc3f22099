import { FlError } from '../../../shared/core/errors.ts';
import { classesOf } from './label.ts';
import type { ColumnSummary, NumericSummary, SiloSummary } from './summary.ts';

/** How one column becomes features. `missing` adds a 0/1 feature that says the cell was empty. */
export type ColumnRule =
  | {
      readonly kind: 'numeric';
      readonly name: string;
      readonly mean: number;
      readonly deviation: number;
      readonly missing: boolean;
    }
  | {
      readonly kind: 'categorical';
      readonly name: string;
      /** One 0/1 feature each, most frequent first. */
      readonly categories: readonly string[];
      /** One more 0/1 feature for every other value. */
      readonly other: boolean;
      readonly missing: boolean;
    };

/** What all silos encode by: plain JSON. */
export interface Schema {
  readonly label: string;
  readonly classes: readonly string[];
  readonly columns: readonly ColumnRule[];
  readonly notes: readonly string[];
}

export interface SchemaOptions {
  readonly label: string;
  /** False where names are only positions. */
  readonly named: boolean;
  /** One-hot features per column; the rest is `other`. Default 32. */
  readonly maximumCategories?: number;
  /** Adds a 0/1 feature to each column with missing cells. Default true. */
  readonly missingIndicator?: boolean;
  /** Columns to leave out. */
  readonly drop?: readonly string[];
  /** Columns to keep although they look like identifiers. */
  readonly keep?: readonly string[];
}

const maximumFeatures = 20_000;
const idName =
  /(^|[\s_.-])(id|uid|uuid|guid|key|code|number|no|nr|index|idx|serial|ssn|mrn)$|^(id|row|unnamed)\b|[a-z]I[dD]$/i;

/** Decides the encoding from the merged summary alone. @throws {FlError} label-unsuitable, data-malformed if no feature is left */
export function schemaOf(merged: SiloSummary, options: SchemaOptions): Schema {
  const classes = classesOf(merged, options.label);
  const notes: string[] = [];
  const columns = merged.columns.flatMap((column, position) => {
    const reason = dropReason(column, position, options);
    if (reason !== undefined) {
      notes.push(`dropped column "${column.name}": ${reason}`);
      return [];
    }
    return [ruleOf(column, options, notes)];
  });
  const features = columns.reduce((sum, rule) => sum + featureNames(rule).length, 0);
  if (features === 0)
    throw new FlError('data-malformed', `no usable feature column beside the label: ${notes.join('; ')}`);
  if (features > maximumFeatures)
    throw new FlError('data-malformed', `${features} features, at most ${maximumFeatures} are supported`);
  return { label: options.label, classes, columns, notes };
}

/** The features that a rule makes, in order. */
export function featureNames(rule: ColumnRule): string[] {
  const indicator = rule.missing ? [`${rule.name} missing`] : [];
  if (rule.kind === 'numeric') return [rule.name, ...indicator];
  const other = rule.other ? [`${rule.name}: other`] : [];
  return [...rule.categories.map((category) => `${rule.name}=${category}`), ...other, ...indicator];
}

function dropReason(column: ColumnSummary, position: number, options: SchemaOptions): string | undefined {
  if (options.drop?.includes(column.name)) return 'as asked';
  const present = column.rows - column.missing;
  if (present === 0) return 'always missing';
  const numeric = numericOf(column);
  if (numeric ? numeric.squares === 0 : isSameEverywhere(column)) return 'constant';
  if (options.keep?.includes(column.name)) return undefined;
  const { uniqueness } = column;
  const share = uniqueness ? uniqueness.distinct / uniqueness.rows : 0;
  if (numeric) {
    const unnamedFirst = !options.named && position === 0;
    const suspect = uniqueness?.counter || unnamedFirst || idName.test(column.name);
    return numeric.integers && share >= 0.9 && suspect
      ? `looks like an identifier (${percent(share)} distinct)`
      : undefined;
  }
  const shared = column.categories.reduce((sum, [, count]) => sum + count, 0);
  if (shared === 0 || (share > 0.5 && shared < Math.max(present / 2, 2 * column.categories.length))) {
    return `looks like an identifier or free text (${percent(share)} distinct)`;
  }
  return undefined;
}

function ruleOf(column: ColumnSummary, options: SchemaOptions, notes: string[]): ColumnRule {
  const missing = (options.missingIndicator ?? true) && column.missing > 0;
  const present = column.rows - column.missing;
  const numeric = numericOf(column);
  if (numeric) {
    const strange = present - numeric.count;
    if (strange > 0)
      notes.push(`column "${column.name}": ${strange} of ${present} values are no numbers, taken as missing`);
    return {
      kind: 'numeric',
      name: column.name,
      mean: numeric.mean,
      deviation: Math.sqrt(numeric.squares / numeric.count),
      missing,
    };
  }
  const categories = column.categories.slice(0, options.maximumCategories ?? 32).map(([value]) => value);
  const covered = column.categories.slice(0, categories.length).reduce((sum, [, count]) => sum + count, 0);
  const other = covered < present;
  if (column.categories.length > categories.length) {
    notes.push(
      `column "${column.name}": the ${categories.length} most frequent values are features, the rest is "other"`,
    );
  }
  return { kind: 'categorical', name: column.name, categories, other, missing };
}

/** The moments of a column that is numeric in at least 95% of its present cells. */
function numericOf({ numeric, rows, missing }: ColumnSummary): NumericSummary | undefined {
  return numeric && numeric.count >= 0.95 * (rows - missing) ? numeric : undefined;
}

function isSameEverywhere({ categories, rows, missing }: ColumnSummary): boolean {
  return categories.length === 1 && categories[0][1] === rows - missing;
}

function percent(share: number): string {
  return `${Math.round(100 * share)}%`;
}
