import { FlError } from '../../../../shared/core/errors.ts';
import type { ColumnDeclaration } from './pipeline.ts';
import type { ColumnSummary, Summary } from './summary.ts';

/** Uniform in (0, 1). */
export type Uniform = () => number;

/**
 * The summary as an epsilon-differentially private answer about the presence of one row in this silo (Dwork, McSherry, Nissim and Smith
 * 2006): Laplace noise on counts, sums and sums of squares, epsilon split evenly over them. Only declared columns are told, because noise
 * needs a sensitivity: numbers with a `range`, words with `categories`, and the classes as `categories` of the label column.
 *
 * The noise is made of floats from a secret generator; that its lowest bits tell something (Mironov 2012) is not mended here, so epsilon
 * is an idealisation, as in DP-SGD on floats. Each summary spends its epsilon again.
 * @throws {FlError} disclosure-unsuitable if the classes are not declared, or in a second exchange: ranges are in the columns' own units
 */
export function noised(summary: Summary, epsilon: number, uniform: Uniform = secretUniform): Summary {
  const { pipeline } = summary;
  if (summary.exchange > 0) {
    throw new FlError(
      'disclosure-unsuitable',
      'epsilon: the pipeline needs a second exchange, and noise is for the first',
    );
  }
  const declared = new Map(pipeline.columns.map((column) => [column.name, column]));
  const classes = declared.get(pipeline.label)?.categories;
  if (!classes) {
    throw new FlError('disclosure-unsuitable', `epsilon: declare the classes as categories of "${pipeline.label}"`);
  }
  const told = summary.columns.flatMap((column) => {
    const declaration = declared.get(column.name);
    return declaration?.range || declaration?.categories ? [{ column, declaration }] : [];
  });
  const queries = told.reduce((sum, { declaration }) => sum + (declaration.categories ? 1 : 3), 1);
  /** @param sensitivity by how much one row changes it at most */
  const noisy = (value: number, sensitivity: number) => value + laplace((sensitivity * queries) / epsilon, uniform);
  const count = (value: number) => Math.max(0, Math.round(noisy(value, 1)));
  const labels = classes.map((name): [string, number] => [
    name,
    count(summary.labels.find(([label]) => label === name)?.[1] ?? 0),
  ]);
  const columns = told.map(({ column, declaration }) =>
    declaration.categories
      ? noisyWords(column, declaration.categories, count)
      : noisyNumbers(column, declaration, noisy),
  );
  return { ...summary, rows: labels.reduce((sum, [, rows]) => sum + rows, 0), columns, labels };
}

/** One row is in one of the counts. */
function noisyWords(
  { name, missing, categories }: ColumnSummary,
  declared: readonly string[],
  count: (value: number) => number,
): ColumnSummary {
  const counts = new Map(categories.map(([value, rows]) => [value, rows]));
  const told = declared.map((value): [string, number, number] => [value, count(counts.get(value) ?? 0), 1]);
  const without = count(missing);
  return {
    name,
    rows: told.reduce((sum, [, rows]) => sum + rows, without),
    missing: without,
    categories: told.filter(([, rows]) => rows > 0),
  };
}

/** Sums about the middle of the range, where one row adds least. */
function noisyNumbers(
  { name, rows, numeric }: ColumnSummary,
  { range: [low, high] = [0, 0] }: ColumnDeclaration,
  noisy: (value: number, sensitivity: number) => number,
): ColumnSummary {
  const [centre, half] = [(low + high) / 2, (high - low) / 2];
  const { count = 0, mean = centre, squares = 0 } = numeric ?? {};
  const present = Math.max(1, Math.round(noisy(count, 1)));
  const missing = Math.max(0, Math.round(noisy(rows - count, 1)));
  const sum = noisy(count * (mean - centre), half);
  const aboutCentre = noisy(squares + count * (mean - centre) ** 2, half * half);
  const offset = Math.max(-half, Math.min(half, sum / present));
  // What noise made impossible is moved to the nearest that is possible: a spread of more than nothing, of at most the range.
  const spread = Math.max(1e-6 * half * half, Math.min(half * half, aboutCentre / present - offset * offset));
  const moments = { count: present, mean: centre + offset, squares: spread * present, integers: false };
  return { name, rows: present + missing, missing, numeric: moments, categories: [] };
}

/** Laplace noise of the given scale, by inversion. */
function laplace(scale: number, uniform: Uniform): number {
  const u = uniform() - 0.5;
  return -scale * Math.sign(u) * Math.log(1 - 2 * Math.abs(u));
}

function secretUniform(): number {
  const [high, low] = crypto.getRandomValues(new Uint32Array(2));
  return ((high >>> 6) * 2 ** 26 + (low >>> 6) + 0.5) / 2 ** 52;
}
