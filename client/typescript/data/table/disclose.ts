import type { Moments } from '../statistics/moments.ts';
import { noised } from './noised.ts';
import type { Disclosure } from './pipeline.ts';
import type { ColumnSummary, Summary } from './summary.ts';

/** The summary without what its pipeline's `disclosure` keeps in the silo. */
export function disclosed(summary: Summary): Summary {
  const { disclosure } = summary.pipeline;
  const { products } = summary;
  const told = {
    ...summary,
    columns: summary.columns.map((column) => discloseColumn(column, disclosure)),
    ...(products && {
      products: products
        // The first sum is the number of rows.
        .filter(({ sums }) => sums[0] >= disclosure.minimumRows)
        .map(({ column, sums }) => ({ column, sums: sums.map((sum) => rounded(sum, disclosure.digits)) })),
    }),
  };
  return disclosure.epsilon === undefined ? told : noised(told, disclosure.epsilon);
}

function discloseColumn({ numeric, quantiles, ...column }: ColumnSummary, disclosure: Disclosure): ColumnSummary {
  const { minimumCount, minimumRows } = disclosure;
  const tells = numeric !== undefined && numeric.count >= minimumRows;
  return {
    ...column,
    ...(tells && { numeric: discloseMoments(numeric, disclosure) }),
    ...(tells && quantiles && { quantiles }),
    // With noise the counts are hidden as they are.
    categories:
      disclosure.epsilon === undefined
        ? column.categories.filter(([, count]) => count >= minimumCount)
        : column.categories,
  };
}

function discloseMoments({ min, max, ...moments }: Moments, { extremes, digits }: Disclosure): Moments {
  return {
    ...moments,
    mean: rounded(moments.mean, digits),
    squares: rounded(moments.squares, digits),
    ...(extremes && min !== undefined && max !== undefined && { min: rounded(min, digits), max: rounded(max, digits) }),
  };
}

function rounded(value: number, digits: number | undefined): number {
  return digits === undefined ? value : Number(value.toPrecision(digits));
}
