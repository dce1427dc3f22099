import { FlError } from '../../../../shared/core/errors.ts';
import { mergeMoments } from '../statistics/moments.ts';
import { mergeSketches } from '../statistics/quantile-sketch.ts';
import { byCount } from './summarise.ts';
import type { ColumnSummary, Summary } from './summary.ts';

/**
 * The summary of all silos together, itself mergeable: in any order and grouping the same, but for the rounding of means. A column that a
 * silo lacks counts as missing in all of its rows.
 * @throws {FlError} summary-mismatch if they were not made for one pipeline, at one exchange
 * @throws {RangeError} on none
 */
export function mergeSummaries(summaries: readonly Summary[]): Summary {
  const [first] = summaries;
  if (!first) throw new RangeError('summaries: none');
  requireAlike(summaries);
  const rows = summaries.reduce((sum, summary) => sum + summary.rows, 0);
  const names = new Set(summaries.flatMap(({ columns }) => columns.map(({ name }) => name)));
  return {
    ...first,
    silos: summaries.reduce((sum, { silos }) => sum + silos, 0),
    rows,
    columns: [...names].map((name) =>
      mergeColumn(
        summaries.flatMap(({ columns }) => columns.filter((column) => column.name === name)),
        rows,
      ),
    ),
    labels: mergeLabels(summaries),
    ...(summaries.some(({ products }) => products) && { products: mergeProducts(summaries) }),
  };
}

function requireAlike([first, ...others]: readonly Summary[]): void {
  const pipeline = JSON.stringify(first.pipeline);
  for (const other of others) {
    if (JSON.stringify(other.pipeline) !== pipeline) {
      throw new FlError('summary-mismatch', 'the summaries were made for different pipelines');
    }
    if (other.exchange !== first.exchange) {
      throw new FlError(
        'summary-mismatch',
        `summaries of exchange ${first.exchange} and ${other.exchange} do not merge`,
      );
    }
    if (other.named !== first.named) {
      throw new FlError('summary-mismatch', 'some silos have column names and some have not');
    }
  }
}

function mergeColumn(parts: readonly ColumnSummary[], rows: number): ColumnSummary {
  const seen = parts.reduce((sum, part) => sum + part.rows, 0);
  const uniqueness = parts.flatMap((part) => part.uniqueness ?? []);
  const numeric = parts.map((part) => part.numeric).reduce(mergeMoments, undefined);
  const [sketch, ...sketches] = parts.flatMap(({ quantiles }) => quantiles ?? []);
  const categories = new Map<string, [count: number, silos: number]>();
  for (const [value, count, silos] of parts.flatMap((part) => part.categories)) {
    const [before, named] = categories.get(value) ?? [0, 0];
    categories.set(value, [before + count, named + silos]);
  }
  return {
    name: parts[0].name,
    rows,
    missing: rows - seen + parts.reduce((sum, part) => sum + part.missing, 0),
    ...(uniqueness.length > 0 && {
      uniqueness: {
        rows: uniqueness.reduce((sum, part) => sum + part.rows, 0),
        distinct: uniqueness.reduce((sum, part) => sum + part.distinct, 0),
        counter: uniqueness.every(({ counter }) => counter),
      },
    }),
    ...(numeric && { numeric }),
    ...(sketch && { quantiles: sketches.reduce(mergeSketches, sketch) }),
    categories: [...categories]
      .map(([value, [count, silos]]): [string, number, number] => [value, count, silos])
      .sort(byCount),
  };
}

function mergeLabels(summaries: readonly Summary[]): [string, number][] {
  const counts = new Map<string, number>();
  for (const [label, count] of summaries.flatMap(({ labels }) => labels)) {
    counts.set(label, (counts.get(label) ?? 0) + count);
  }
  return [...counts].sort((a, b) => (a[0] < b[0] ? -1 : 1));
}

function mergeProducts(summaries: readonly Summary[]): NonNullable<Summary['products']> {
  const total = new Map<string, number[]>();
  for (const { column, sums } of summaries.flatMap(({ products }) => products ?? [])) {
    const before = total.get(column);
    if (before && before.length !== sums.length) {
      throw new FlError('summary-mismatch', `products of "${column}": ${before.length} and ${sums.length} sums`);
    }
    total.set(column, before ? before.map((sum, i) => sum + sums[i]) : sums);
  }
  return [...total].map(([column, sums]) => ({ column, sums }));
}
