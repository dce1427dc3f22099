import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { encode } from '../../../../client/typescript/data/table/encode.ts';
import { fitPipeline } from '../../../../client/typescript/data/table/fit.ts';
import { type PipelineInput, parsePipeline } from '../../../../client/typescript/data/table/pipeline.ts';
import type { Table } from '../../../../client/typescript/data/table/table.ts';

type Cell = number | null;
interface Vectors {
  readonly x: readonly (readonly Cell[])[];
  readonly mean: readonly number[];
  readonly deviation: readonly number[];
  readonly standardized: readonly (readonly Cell[])[];
  readonly nearest: Readonly<Record<string, readonly (readonly number[])[]>>;
  readonly iterative: Readonly<Record<string, readonly (readonly number[])[]>>;
  readonly clipped: readonly (readonly Cell[])[];
  readonly quantiles: Readonly<Record<string, readonly number[]>>;
}

const vectors = JSON.parse(
  readFileSync(new URL('../../../vectors/data/tables.json', import.meta.url), 'utf8'),
) as Vectors;
const width = vectors.mean.length;

const tableOf = (rows: readonly (readonly Cell[])[]): Table => ({
  file: 'vectors',
  columns: [...Array.from({ length: width }, (_, j) => `x${j}`), 'y'],
  named: true,
  rows: rows.map((row, i) => [...row.map((value) => (value === null ? '' : String(value))), String(i % 2)]),
  decimalComma: false,
});
const whole = tableOf(vectors.x);
/** Unequal silos; the second has 7 rows. */
const silos = [vectors.x.slice(0, 23), vectors.x.slice(23, 30), vectors.x.slice(30)].map(tableOf);

function encodedBy(steps: PipelineInput['steps'], tables = silos): number[][] {
  const pipeline = parsePipeline({ label: 'y', steps, missingIndicator: false });
  const encoding = fitPipeline(
    tables.map((table) => ({ table })),
    pipeline,
  );
  return tables.flatMap((table) => {
    const { x, n } = encode(table, encoding);
    return Array.from({ length: n }, (_, i) => [...x.subarray(i * width, (i + 1) * width)]);
  });
}

function expectClose(found: readonly (readonly number[])[], expected: readonly (readonly Cell[])[], digits = 5) {
  expect(found.length).toBe(expected.length);
  expected.forEach((row, i) => {
    row.forEach((value, j) => {
      // What no step filled in is 0 to the model.
      expect(found[i][j], `row ${i}, column ${j}`).toBeCloseTo(value ?? 0, digits);
    });
  });
}

function expectWithin(found: number, expected: number, share: number) {
  expect(Math.abs(found - expected) / Math.abs(expected)).toBeLessThan(share);
}

describe('steps fitted on three silos give what scikit-learn gives on the pooled rows', () => {
  it('standardize: StandardScaler', () => {
    expectClose(encodedBy([{ kind: 'standardize' }]), vectors.standardized);
  });

  it('impute mean before or after standardize: the column means', () => {
    const z = vectors.standardized;
    expectClose(encodedBy([{ kind: 'standardize' }, { kind: 'impute', how: 'mean' }]), z);
    const filled = encodedBy([{ kind: 'impute', how: 'mean' }]);
    expect(filled[3][1]).toBeCloseTo(vectors.mean[1], 5);
  });

  it('standardize after impute mean scales by the spread of the filled column', () => {
    const [row] = encodedBy([{ kind: 'impute', how: 'mean' }, { kind: 'standardize' }]);
    const present = vectors.x.filter((cells) => cells[0] !== null).length;
    // Filling in the mean keeps the sum of squares and adds rows to divide it by.
    const deviation = vectors.deviation[0] * Math.sqrt(present / vectors.x.length);
    expect(row[0]).toBeCloseTo(((vectors.x[0][0] ?? vectors.mean[0]) - vectors.mean[0]) / deviation, 5);
  });

  it.each([1, 4])('impute nearest, %i neighbours, in one silo: KNNImputer', (neighbours) => {
    const steps: PipelineInput['steps'] = [{ kind: 'standardize' }, { kind: 'impute', how: 'nearest', neighbours }];
    expectClose(encodedBy(steps, [whole]), vectors.nearest[neighbours]);
  });

  it.each([1, 10])('impute iterative, ridge %d: IterativeImputer with Ridge, both run to convergence', (ridge) => {
    const steps: PipelineInput['steps'] = [
      { kind: 'standardize' },
      { kind: 'impute', how: 'iterative', exchanges: 100, ridge },
    ];
    expectClose(encodedBy(steps), vectors.iterative[ridge], 4);
  });

  it('impute iterative gives the same whatever the units of the columns', () => {
    const steps: PipelineInput['steps'] = [
      { kind: 'impute', how: 'iterative', exchanges: 100, ridge: 10 },
      { kind: 'clip', by: 'bounds', low: -1e9, high: 1e9 },
    ];
    const expected = vectors.iterative[10].map((row) => row.map((z, j) => vectors.mean[j] + vectors.deviation[j] * z));
    const found = encodedBy(steps);
    expected.forEach((row, i) => {
      row.forEach((value, j) => {
        expect(found[i][j] / value).toBeCloseTo(1, 4);
      });
    });
  });

  it('clip by deviations: numpy.clip at mean +- 1.5 deviations', () => {
    const found = encodedBy([{ kind: 'clip', by: 'deviations', most: 1.5 }]);
    expectClose(found, vectors.clipped, 3);
  });

  it("clip by quantiles: numpy.nanquantile, within the sketch's hundredth", () => {
    const found = encodedBy([{ kind: 'clip', by: 'quantiles', low: 0.05, high: 0.9 }]);
    for (let j = 0; j < width; j++) {
      const held = found.map((row) => row[j]).filter((_, i) => vectors.x[i][j] !== null);
      expectWithin(Math.min(...held), vectors.quantiles['0.05'][j], 0.01);
      expectWithin(Math.max(...held), vectors.quantiles['0.9'][j], 0.01);
    }
  });

  it("impute median: numpy.nanquantile, within the sketch's hundredth", () => {
    const found = encodedBy([{ kind: 'impute', how: 'median' }]);
    for (const j of [0, 1, 3, 4]) expectWithin(found[3][j], vectors.quantiles['0.5'][j], 0.01);
  });
});
