/**
 * Sums over rows of all products of two of [1, x_1 ... x_d]: what a linear regression of any column on the others needs. Packed lower
 * triangle, row by row: `(d + 1) (d + 2) / 2` numbers.
 */
export type ProductSums = Float64Array;

export function emptyProducts(columns: number): ProductSums {
  return new Float64Array(((columns + 1) * (columns + 2)) / 2);
}

/** Adds one row, `x` of the length that `sums` was made for. */
export function addRow(sums: ProductSums, x: ArrayLike<number>): void {
  let at = 0;
  for (let i = 0; i <= x.length; i++) {
    const left = i === 0 ? 1 : x[i - 1];
    for (let j = 0; j <= i; j++) sums[at++] += left * (j === 0 ? 1 : x[j - 1]);
  }
}

export interface Regression {
  readonly intercept: number;
  /** One for each column, 0 for the target's own. */
  readonly coefficients: readonly number[];
}

/**
 * Ridge regression of column `target` on the others: minimises sum (y - a - b x)^2 + ridge |b|^2, the intercept not penalised
 * (Hoerl and Kennard 1970). Solved by Cholesky's decomposition.
 * @param columns d, as in `ProductSums`
 * @param ridge 0 or greater, in units of squared columns
 */
export function ridgeRegression(sums: ArrayLike<number>, columns: number, target: number, ridge: number): Regression {
  const product = (i: number, j: number) => {
    const [row, column] = i >= j ? [i, j] : [j, i];
    return sums[(row * (row + 1)) / 2 + column];
  };
  const rows = product(0, 0);
  const none: Regression = { intercept: 0, coefficients: Array.from({ length: columns }, () => 0) };
  if (!(rows > 0)) return none;
  const others = Array.from({ length: columns }, (_, i) => i + 1).filter((i) => i !== target + 1);
  // About the means, which takes the intercept out of the system.
  const centred = (i: number, j: number) => product(i, j) - (product(i, 0) * product(j, 0)) / rows;
  const system = others.map((i) => others.map((j) => centred(i, j) + (i === j ? ridge : 0)));
  const solution = solve(
    system,
    others.map((i) => centred(i, target + 1)),
  );
  const coefficients = [...none.coefficients];
  others.forEach((column, k) => {
    coefficients[column - 1] = solution[k];
  });
  const explained = others.reduce((sum, column, k) => sum + solution[k] * product(column, 0), 0);
  return { intercept: (product(target + 1, 0) - explained) / rows, coefficients };
}

/** Solves A x = b for a symmetric positive A; a direction in which A is flat gets 0. */
function solve(matrix: readonly (readonly number[])[], right: readonly number[]): number[] {
  const n = right.length;
  const lower = matrix.map(() => new Float64Array(n));
  const flat = matrix.map((row, i) => 1e-12 * Math.abs(row[i]));
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = matrix[i][j];
      for (let k = 0; k < j; k++) sum -= lower[i][k] * lower[j][k];
      if (i === j) lower[i][i] = sum > flat[i] ? Math.sqrt(sum) : 0;
      else lower[i][j] = lower[j][j] === 0 ? 0 : sum / lower[j][j];
    }
  }
  const x = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    let sum = right[i];
    for (let k = 0; k < i; k++) sum -= lower[i][k] * x[k];
    x[i] = lower[i][i] === 0 ? 0 : sum / lower[i][i];
  }
  for (let i = n - 1; i >= 0; i--) {
    let sum = x[i];
    for (let k = i + 1; k < n; k++) sum -= lower[k][i] * x[k];
    x[i] = lower[i][i] === 0 ? 0 : sum / lower[i][i];
  }
  return [...x];
}
