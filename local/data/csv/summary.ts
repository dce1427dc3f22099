import { FlError } from '../../../shared/core/errors.ts';
import { canonicalLabel } from './label.ts';
import { numberOf } from './number.ts';
import type { Table } from './table.ts';

/** Moments of the cells of a column that are numbers. */
export interface NumericSummary {
  readonly count: number;
  readonly mean: number;
  /** Sum of squared differences from the mean. */
  readonly squares: number;
  readonly min: number;
  readonly max: number;
  readonly integers: boolean;
}

/** How much a column looks like an identifier. Merged: sums over the silos that can tell. */
export interface Uniqueness {
  readonly rows: number;
  /** Distinct values, counted in each silo. */
  readonly distinct: number;
  /** True if each silo holds nearly all whole numbers of its range, once each: a row counter. */
  readonly counter: boolean;
}

/**
 * What a silo tells about one column: no row, and as categories no value that fewer than `minimumCount` rows share. Moments are
 * exact, so a silo of a few rows gives these away; there is no noise here.
 */
export interface ColumnSummary {
  readonly name: string;
  readonly rows: number;
  readonly missing: number;
  /** Absent where the silo has too few rows to tell an identifier from a measurement. */
  readonly uniqueness?: Uniqueness;
  readonly numeric?: NumericSummary;
  /** The most frequent values, at most `maximumCategories`. */
  readonly categories: readonly (readonly [value: string, count: number])[];
}

/** What leaves a silo so that all can agree on one schema: plain JSON. */
export interface SiloSummary {
  readonly silo: string;
  readonly rows: number;
  readonly columns: readonly ColumnSummary[];
  /** Every class of the label column and its rows. */
  readonly labels: readonly (readonly [label: string, count: number])[];
}

export interface SummaryOptions {
  /** Name of the label column. */
  readonly label: string;
  /** Rows whose features are summarised (the training rows), default all; labels are counted over all rows. */
  readonly rows?: ArrayLike<number>;
  /** Default 64. */
  readonly maximumCategories?: number;
  /** Values that fewer rows share stay in the silo. Default 3. */
  readonly minimumCount?: number;
}

const maximumLabels = 1000;
const rowsToTellIdentifiers = 50;

/** Summarises one silo's table; runs where the rows are. @throws {FlError} label-missing, label-unsuitable */
export function summarise(table: Table, options: SummaryOptions): SiloSummary {
  const labelIndex = table.columns.indexOf(options.label);
  if (labelIndex < 0) throw new FlError('label-missing', `${table.file}: no column "${options.label}"`);
  const labels = new Map<string, number>();
  for (const row of table.rows) {
    const label = canonicalLabel(row[labelIndex]);
    if (label !== '') labels.set(label, (labels.get(label) ?? 0) + 1);
    if (labels.size > maximumLabels) {
      throw new FlError(
        'label-unsuitable',
        `${table.file}: label "${options.label}" has over ${maximumLabels} distinct values`,
      );
    }
  }
  const chosen = options.rows ?? Array.from(table.rows.keys());
  const columns = table.columns.flatMap((name, c) =>
    c === labelIndex ? [] : [summariseColumn(name, c, table, chosen, options)],
  );
  return { silo: table.file, rows: chosen.length, columns, labels: [...labels].sort(byText) };
}

function summariseColumn(
  name: string,
  column: number,
  table: Table,
  rows: ArrayLike<number>,
  { maximumCategories = 64, minimumCount = 3 }: SummaryOptions,
): ColumnSummary {
  const counts = new Map<string, number>();
  let missing = 0;
  let numeric: NumericSummary | undefined;
  for (let i = 0; i < rows.length; i++) {
    const cell = table.rows[rows[i]][column];
    if (cell === '') {
      missing++;
      continue;
    }
    counts.set(cell, (counts.get(cell) ?? 0) + 1);
    const value = numberOf(cell, table.decimalComma);
    if (value !== undefined) numeric = mergeNumeric(numeric, single(value));
  }
  // Many values of a numeric column are measurements, not categories: its moments are enough.
  const isMeasure = numeric !== undefined && counts.size > maximumCategories;
  const categories = isMeasure ? [] : [...counts].filter(([, count]) => count >= minimumCount);
  categories.sort((a, b) => b[1] - a[1] || byText(a, b));
  return {
    name,
    rows: rows.length,
    missing,
    uniqueness: uniquenessOf(rows.length - missing, counts.size, numeric),
    numeric,
    categories: categories.slice(0, maximumCategories),
  };
}

/** The summary of all silos together. A column that a silo lacks counts as missing in all of its rows. */
export function mergeSummaries(summaries: readonly SiloSummary[]): SiloSummary {
  const rows = summaries.reduce((sum, summary) => sum + summary.rows, 0);
  const names = new Set(summaries.flatMap(({ columns }) => columns.map(({ name }) => name)));
  const columns = [...names].map((name) => {
    const parts = summaries.flatMap((summary) => summary.columns.filter((column) => column.name === name));
    const seen = parts.reduce((sum, part) => sum + part.rows, 0);
    return {
      name,
      rows,
      missing: rows - seen + parts.reduce((sum, part) => sum + part.missing, 0),
      uniqueness: mergeUniqueness(parts.flatMap(({ uniqueness }) => uniqueness ?? [])),
      numeric: parts.reduce<NumericSummary | undefined>(
        (merged, { numeric }) => mergeNumeric(merged, numeric),
        undefined,
      ),
      categories: mergeCounts(parts.map(({ categories }) => categories)).sort((a, b) => b[1] - a[1] || byText(a, b)),
    };
  });
  const labels = mergeCounts(summaries.map(({ labels }) => labels)).sort(byText);
  return { silo: 'all', rows, columns, labels };
}

/** Moments of two sets together: Chan, Golub and LeVeque 1979, which does not cancel as sums of squares do. */
export function mergeNumeric(a: NumericSummary | undefined, b: NumericSummary | undefined): NumericSummary | undefined {
  if (!a || !b) return a ?? b;
  const count = a.count + b.count;
  const gap = b.mean - a.mean;
  return {
    count,
    mean: a.mean + (gap * b.count) / count,
    squares: a.squares + b.squares + (gap * gap * a.count * b.count) / count,
    min: Math.min(a.min, b.min),
    max: Math.max(a.max, b.max),
    integers: a.integers && b.integers,
  };
}

function uniquenessOf(rows: number, distinct: number, numeric: NumericSummary | undefined): Uniqueness | undefined {
  if (rows < rowsToTellIdentifiers) return undefined;
  const counter = numeric?.integers === true && distinct === rows && numeric.max - numeric.min < 1.2 * rows;
  return { rows, distinct, counter };
}

function mergeUniqueness(parts: readonly Uniqueness[]): Uniqueness | undefined {
  if (parts.length === 0) return undefined;
  return {
    rows: parts.reduce((sum, part) => sum + part.rows, 0),
    distinct: parts.reduce((sum, part) => sum + part.distinct, 0),
    counter: parts.every(({ counter }) => counter),
  };
}

function single(value: number): NumericSummary {
  return { count: 1, mean: value, squares: 0, min: value, max: value, integers: Number.isInteger(value) };
}

function mergeCounts(lists: readonly (readonly (readonly [string, number])[])[]): [string, number][] {
  const merged = new Map<string, number>();
  for (const list of lists) for (const [value, count] of list) merged.set(value, (merged.get(value) ?? 0) + count);
  return [...merged];
}

function byText(a: readonly [string, number], b: readonly [string, number]): number {
  return a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0;
}
