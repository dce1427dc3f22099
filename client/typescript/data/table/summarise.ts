import { FlError } from '../../../../shared/core/errors.ts';
import { momentsOf } from '../statistics/moments.ts';
import { sketchOf } from '../statistics/quantile-sketch.ts';
import { Cells } from './cells.ts';
import { disclosed } from './disclose.ts';
import { type Encoding, numericNames } from './encoding.ts';
import { columnOf, frameOf } from './frame.ts';
import { canonicalLabel } from './label.ts';
import { needsQuantiles, type Pipeline } from './pipeline.ts';
import { applySteps } from './steps/apply.ts';
import { productsOf } from './steps/regression.ts';
import type { ColumnSummary, Summary } from './summary.ts';
import type { Table } from './table.ts';

const maximumLabels = 1000;
/** Distinct values of an undeclared column that a silo tells at most; a number with more is a measurement. */
const maximumTold = 64;
const rowsToTellIdentifiers = 50;

export interface SummariseOptions {
  /** Rows whose features are summarised (the training rows), default all; labels are counted over all rows. */
  readonly rows?: ArrayLike<number>;
  /** What was agreed before, if anything: the columns are summarised as it leaves them. */
  readonly encoding?: Encoding;
}

/**
 * Summarises one silo's table; runs where the rows are. It holds what the pipeline's steps ask for and its `disclosure` allows.
 * @throws {FlError} label-missing, label-unsuitable
 */
export function summarise(table: Table, pipeline: Pipeline, { rows, encoding }: SummariseOptions = {}): Summary {
  const chosen = rows ?? Array.from(table.rows.keys());
  const told = {
    format: 'tributary-summary-1' as const,
    pipeline,
    exchange: encoding?.exchanges ?? 0,
    silos: 1,
    rows: chosen.length,
    named: table.named,
  };
  if (encoding) return disclosed({ ...told, labels: [], ...summariseFrame(table, encoding, chosen) });
  const labels = countLabels(table, pipeline);
  const columns = table.columns
    .filter((name) => name !== pipeline.label && declarationOf(pipeline, name)?.kind !== 'drop')
    .map((name) => summariseColumn(table, name, pipeline, chosen));
  return disclosed({ ...told, labels, columns });
}

function declarationOf({ columns }: Pipeline, name: string) {
  return columns.find((column) => column.name === name);
}

function countLabels(table: Table, { label }: Pipeline): [string, number][] {
  const column = table.columns.indexOf(label);
  if (column < 0) throw new FlError('label-missing', `${table.file}: no column "${label}"`);
  const counts = new Map<string, number>();
  for (const row of table.rows) {
    const value = canonicalLabel(row[column]);
    if (value !== '') counts.set(value, (counts.get(value) ?? 0) + 1);
    if (counts.size > maximumLabels) {
      throw new FlError(
        'label-unsuitable',
        `${table.file}: label "${label}" has over ${maximumLabels} distinct values`,
      );
    }
  }
  return [...counts].sort((a, b) => (a[0] < b[0] ? -1 : 1));
}

function summariseColumn(table: Table, name: string, pipeline: Pipeline, rows: ArrayLike<number>): ColumnSummary {
  const declared = declarationOf(pipeline, name);
  const cells = new Cells(table, name, pipeline);
  const counts = new Map<string, number>();
  let missing = 0;
  for (let i = 0; i < rows.length; i++) {
    const word = cells.word(rows[i]);
    if (word === '') missing++;
    else counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  const values = declared?.kind === 'categorical' || declared?.categories ? undefined : cells.numbers(rows);
  const numeric = values && momentsOf(values);
  const isMeasure = declared?.kind === 'numeric' || (numeric !== undefined && counts.size > maximumTold);
  const asksQuantiles = numeric !== undefined && pipeline.steps.some(needsQuantiles);
  const present = rows.length - missing;
  const counter =
    numeric?.integers === true && counts.size === present && (numeric.max ?? 0) - (numeric.min ?? 0) < 1.2 * present;
  return {
    name,
    rows: rows.length,
    missing,
    ...(present >= rowsToTellIdentifiers && { uniqueness: { rows: present, distinct: counts.size, counter } }),
    ...(numeric && { numeric }),
    ...(asksQuantiles && values && { quantiles: sketchOf(values) }),
    categories: isMeasure ? [] : toldCategories(counts, declared?.categories),
  };
}

/** The declared categories, or the most frequent ones, with their counts. */
function toldCategories(
  counts: ReadonlyMap<string, number>,
  declared: readonly string[] | undefined,
): [string, number, number][] {
  const known = declared ?? [...counts].sort(byCount).map(([value]) => value);
  return known
    .slice(0, declared ? undefined : maximumTold)
    .map((value): [string, number, number] => [value, counts.get(value) ?? 0, 1])
    .filter(([, count]) => count > 0);
}

/** The numeric columns as the encoding leaves them so far, or what the imputation that is under way asks for. */
function summariseFrame(table: Table, encoding: Encoding, rows: ArrayLike<number>) {
  const { pipeline, steps } = encoding;
  const names = numericNames(encoding);
  const frame = frameOf(table, pipeline, names, rows);
  const last = steps.at(-1);
  if (last?.kind === 'fill-regression' && last.left > 0) {
    applySteps(steps.slice(0, -1), frame, frame);
    return { columns: [], products: productsOf(last, frame) };
  }
  applySteps(steps, frame, frame);
  const asksQuantiles = pipeline.steps.slice(steps.length).some(needsQuantiles);
  const columns = names.map((name): ColumnSummary => {
    const values = columnOf(frame, name);
    const numeric = momentsOf(values);
    return {
      name,
      rows: rows.length,
      missing: values.reduce((sum, value) => sum + (Number.isNaN(value) ? 1 : 0), 0),
      ...(numeric && { numeric }),
      ...(asksQuantiles && { quantiles: sketchOf(values) }),
      categories: [],
    };
  });
  return { columns };
}

/** The most frequent first, then by code unit. */
export function byCount(
  a: readonly [string, number, ...unknown[]],
  b: readonly [string, number, ...unknown[]],
): number {
  return b[1] - a[1] || (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0);
}
