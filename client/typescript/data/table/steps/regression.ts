import { FlError } from '../../../../../shared/core/errors.ts';
import { shown } from '../../../../../shared/core/shown.ts';
import { addRow, emptyProducts, ridgeRegression } from '../../statistics/normal-equations.ts';
import type { FittedStepOf } from '../encoding.ts';
import { columnOf, type Frame } from '../frame.ts';
import type { Summary } from '../summary.ts';

type RegressionStep = FittedStepOf<'fill-regression'>;
type Products = NonNullable<Summary['products']>;

/** Passes over a row's gaps at most; each gap is predicted from the others, so several are needed. */
const maximumSweeps = 1000;
const converged = 1e-10;

/**
 * Imputation by chained equations (van Buuren and Groothuis-Oudshoorn 2011; scikit-learn's IterativeImputer) for silos: every
 * column with gaps is regressed on all others. An exchange goes: each silo fills its gaps by the regressions so far, and tells the
 * sums of products over its rows that have the column (`productsOf`); from their total come the next regressions (`refit`). The
 * regressions are those of the pooled rows; no row travels.
 */
export function fillByRegression(step: RegressionStep, frame: Frame): void {
  const filled = standardised(step, frame);
  step.columns.forEach(({ name, mean, deviation }, c) => {
    const values = columnOf(frame, name);
    for (let row = 0; row < frame.rows; row++) {
      if (Number.isNaN(values[row])) values[row] = mean + deviation * filled[row][c];
    }
  });
}

/** Sums of products over the rows that have each incomplete column, in units of (x - mean) / deviation. `frame` has its gaps still. */
export function productsOf(step: RegressionStep, frame: Frame): Products {
  const filled = standardised(step, frame);
  return step.columns.flatMap(({ name, incomplete }) => {
    if (!incomplete) return [];
    const sums = emptyProducts(step.columns.length);
    const values = columnOf(frame, name);
    for (let row = 0; row < frame.rows; row++) if (!Number.isNaN(values[row])) addRow(sums, filled[row]);
    return [{ column: name, sums: [...sums] }];
  });
}

/** The next regressions, from all silos' sums. @throws {FlError} summary-mismatch on sums of other columns */
export function refit(step: RegressionStep, products: Products): RegressionStep {
  const { columns, ridge } = step;
  const regressions = products.map(({ column, sums }) => {
    const target = columns.findIndex(({ name }) => name === column);
    if (target < 0 || sums.length !== emptyProducts(columns.length).length) {
      throw new FlError('summary-mismatch', `products of ${shown(column)}, ${sums.length} sums, were not asked for`);
    }
    const { intercept, coefficients } = ridgeRegression(sums, columns.length, target, ridge);
    return { column, intercept, coefficients: [...coefficients] };
  });
  return { ...step, left: step.left - 1, regressions };
}

/** Every row in units of (x - mean) / deviation, its gaps filled. */
function standardised({ columns, regressions }: RegressionStep, frame: Frame): Float64Array[] {
  const values = columns.map(({ name }) => columnOf(frame, name));
  const models = regressions.map(({ column, ...model }) => ({
    ...model,
    target: columns.findIndex(({ name }) => name === column),
  }));
  return Array.from({ length: frame.rows }, (_, row) => {
    const z = Float64Array.from(columns, ({ mean, deviation }, c) => (values[c][row] - mean) / deviation);
    const gaps = models.filter(({ target }) => Number.isNaN(z[target]));
    // Where no training row had a gap there is no regression: the mean.
    for (let c = 0; c < z.length; c++) if (Number.isNaN(z[c])) z[c] = 0;
    for (let sweep = 0, change = 1; sweep < maximumSweeps && change > converged; sweep++) {
      change = 0;
      for (const { target, intercept, coefficients } of gaps) {
        let predicted = intercept;
        for (let c = 0; c < z.length; c++) predicted += coefficients[c] * z[c];
        change = Math.max(change, Math.abs(predicted - z[target]));
        z[target] = predicted;
      }
    }
    return z;
  });
}
