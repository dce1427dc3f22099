import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { agree } from '../../../../client/typescript/data/table/agree.ts';
import { encode } from '../../../../client/typescript/data/table/encode.ts';
import { parseEncoding } from '../../../../client/typescript/data/table/encoding.ts';
import { mergeSummaries } from '../../../../client/typescript/data/table/merge.ts';
import { noised } from '../../../../client/typescript/data/table/noised.ts';
import { type PipelineInput, parsePipeline } from '../../../../client/typescript/data/table/pipeline.ts';
import { summarise } from '../../../../client/typescript/data/table/summarise.ts';
import { parseSummary } from '../../../../client/typescript/data/table/summary.ts';
import type { Table } from '../../../../client/typescript/data/table/table.ts';
import { randomFrom } from '../../../../shared/core/random.ts';

const tableOf = (rows: readonly (readonly (string | number)[])[], columns = ['age', 'city', 'y']): Table => ({
  file: 'a.csv',
  columns,
  named: true,
  rows: rows.map((row) => row.map(String)),
  decimalComma: false,
});
const people = tableOf(
  Array.from({ length: 40 }, (_, i) => [20 + (i % 30), i === 7 ? 'Ulm' : i % 2 ? 'Bonn' : 'Kiel', i % 2]),
);
const summaryWith = (disclosure: PipelineInput['disclosure'], more: Partial<PipelineInput> = {}) =>
  summarise(people, parsePipeline({ label: 'y', disclosure, ...more }));

describe('what a summary tells', () => {
  it('holds smallest and largest numbers only where extremes are allowed', () => {
    expect(summaryWith({}).columns[0].numeric).toMatchObject({ min: 20, max: 49 });
    const { numeric } = summaryWith({ extremes: false }).columns[0];
    expect(numeric).not.toHaveProperty('min');
    expect(numeric).not.toHaveProperty('max');
  });

  it('rounds means and spreads to the digits asked for', () => {
    // 20 to 49 once and 20 to 29 again: (1035 + 245) / 40 = 32.
    expect(summaryWith({ digits: 1 }).columns[0].numeric).toMatchObject({ count: 40, mean: 30 });
  });

  it('gives no statistics of a column with too few numbers', () => {
    expect(summaryWith({ minimumRows: 41 }).columns[0]).not.toHaveProperty('numeric');
    expect(summaryWith({ minimumRows: 40 }).columns[0]).toHaveProperty('numeric');
  });

  it('keeps a category that too few rows share in the silo, and one that too few silos name out of the agreement', () => {
    const categories = (disclosure: PipelineInput['disclosure']) =>
      summaryWith(disclosure).columns[1].categories.map(([value]) => value);
    expect(categories({ minimumCount: 1 })).toEqual(['Kiel', 'Bonn', 'Ulm']);
    expect(categories({ minimumCount: 2 })).toEqual(['Kiel', 'Bonn']);
    const pipeline = parsePipeline({ label: 'y', disclosure: { minimumCount: 1, minimumSilos: 2 } });
    const other = tableOf(people.rows.map(([age, city, y]) => [age, city === 'Ulm' ? 'Kiel' : city, y]));
    const { columns } = agree(mergeSummaries([people, other].map((table) => summarise(table, pipeline))));
    expect(columns[1]).toEqual({
      kind: 'categorical',
      name: 'city',
      categories: ['Kiel', 'Bonn'],
      other: true,
      missing: false,
    });
  });

  it('asks for quantiles only where a step does', () => {
    expect(summaryWith({}).columns[0]).not.toHaveProperty('quantiles');
    const steps: PipelineInput['steps'] = [{ kind: 'impute', how: 'median' }];
    expect(summaryWith({}, { steps }).columns[0]).toHaveProperty('quantiles');
  });
});

describe('a summary with noise', () => {
  const declared: Partial<PipelineInput> = {
    columns: [
      { name: 'age', range: [0, 120] },
      { name: 'y', categories: ['0', '1'] },
    ],
  };

  it('tells declared columns only', () => {
    const { columns } = summaryWith({ epsilon: 1 }, declared);
    expect(columns.map(({ name }) => name)).toEqual(['age']);
    expect(JSON.stringify(columns)).not.toContain('Kiel');
    expect(columns[0].numeric).not.toHaveProperty('min');
  });

  it('wants the classes declared, and steps that moments are enough for', () => {
    expect(() => summaryWith({ epsilon: 1 })).toThrow(/disclosure-unsuitable.*categories of "y"/);
    const steps: PipelineInput['steps'] = [{ kind: 'impute', how: 'nearest' }];
    expect(() => summaryWith({ epsilon: 1 }, { ...declared, steps })).toThrow(/pipeline-invalid.*epsilon/);
  });

  it('is for the first exchange: later ones are in units that no range is declared in', () => {
    const steps: PipelineInput['steps'] = [{ kind: 'clip', by: 'deviations', most: 1 }, { kind: 'standardize' }];
    const pipeline = parsePipeline({ label: 'y', disclosure: { epsilon: 1 }, ...declared, steps });
    const encoding = agree(summarise(people, pipeline));
    expect(encoding.complete).toBe(false);
    expect(() => summarise(people, pipeline, { encoding })).toThrow(/disclosure-unsuitable.*second exchange/);
  });

  it('scatters every figure as Laplace noise of its share of epsilon, about the true one', () => {
    const random = randomFrom('laplace');
    const exact = summaryWith({}, declared);
    const draws = Array.from({ length: 4000 }, () => noised(exact, 4, () => random.next() * (1 - 1e-12) + 5e-13));
    // Four figures with an epsilon of 1 each: counts of scale 1, whose mean absolute deviation is the scale; 20 rows of each class.
    const counts = draws.map(({ labels }) => labels[0][1]);
    const mean = counts.reduce((sum, count) => sum + count, 0) / counts.length;
    const spread = counts.reduce((sum, count) => sum + Math.abs(count - 20), 0) / counts.length;
    expect(mean).toBeCloseTo(20, 0.9);
    // Rounded to whole numbers: the mean absolute deviation is 1 / (2 sinh(1/2)) = 0.959.
    expect(Math.abs(spread - 0.959)).toBeLessThan(0.06);
  });

  it('stays usable where the noise is larger than the column', () => {
    for (let seed = 0; seed < 20; seed++) {
      const random = randomFrom(seed);
      const summary = noised(summaryWith({}, declared), 0.01, () => random.next() * 0.999 + 0.0005);
      const parsed = parseSummary(JSON.parse(JSON.stringify(summary)));
      const moments = parsed.columns[0].numeric;
      expect(moments?.mean).toBeGreaterThanOrEqual(0);
      expect(moments?.mean).toBeLessThanOrEqual(120);
      expect(moments?.squares).toBeGreaterThan(0);
    }
  });
});

describe('declared columns', () => {
  it('read words and numbers for missing as declared, whatever their spelling', () => {
    const rows = [0, '0.0', 80, 90, 'none', 100].map((value, i) => [value, 'Kiel', i % 2]);
    const pipeline = parsePipeline({ label: 'y', columns: [{ name: 'age', missing: ['0', 'none'] }] });
    expect(summarise(tableOf(rows), pipeline).columns[0]).toMatchObject({
      missing: 3,
      numeric: { count: 3, mean: 90 },
    });
  });

  it('take numbers outside the range for missing', () => {
    const rows = [-1, 30, 50, 999].map((value, i) => [value, 'Kiel', i % 2]);
    const pipeline = parsePipeline({ label: 'y', columns: [{ name: 'age', range: [0, 120] }] });
    expect(summarise(tableOf(rows), pipeline).columns[0].numeric).toMatchObject({ count: 2, mean: 40 });
  });

  it('make numbers that are codes into categories, in the declared order', () => {
    const rows = [3, 1, 2, 9].map((code, i) => [code, 'Kiel', i % 2]);
    const pipeline = parsePipeline({ label: 'y', columns: [{ name: 'age', categories: ['1', '2', '3'] }] });
    const table = tableOf(rows);
    const encoding = agree(summarise(table, { ...pipeline, disclosure: { ...pipeline.disclosure, minimumCount: 1 } }));
    expect([...encode(table, encoding).x]).toEqual([0, 0, 1, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1]);
  });
});

describe('an agreement', () => {
  const pipeline = parsePipeline({
    label: 'y',
    steps: [{ kind: 'clip', by: 'deviations', most: 1 }, { kind: 'standardize' }],
  });

  it('asks for another exchange where a step changed what the next one needs, and refuses to encode before', () => {
    const first = agree(summarise(people, pipeline));
    expect([first.complete, first.steps.length]).toEqual([false, 1]);
    expect(() => encode(people, first)).toThrow(/encoding-incomplete/);
    const second = agree(
      summarise(people, pipeline, { encoding: parseEncoding(JSON.parse(JSON.stringify(first))) }),
      first,
    );
    expect([second.complete, second.exchanges]).toEqual([true, 2]);
    const { x, n, shape } = encode(people, second);
    const ages = Array.from({ length: n }, (_, i) => x[i * shape[0]]);
    expect(ages.reduce((sum, age) => sum + age, 0)).toBeCloseTo(0, 4);
    expect(ages.reduce((sum, age) => sum + age * age, 0) / n).toBeCloseTo(1, 4);
  });

  it('refuses summaries of another exchange or pipeline', () => {
    const first = agree(summarise(people, pipeline));
    expect(() => agree(summarise(people, pipeline), first)).toThrow(/summary-mismatch.*exchange 0, expected 1/);
    const other = summarise(people, parsePipeline({ label: 'y' }));
    expect(() => mergeSummaries([summarise(people, pipeline), other])).toThrow(/different pipelines/);
  });

  it('does not depend on how the silos are grouped', () => {
    const silo = fc.array(
      fc.tuple(fc.integer({ min: 0, max: 99 }), fc.constantFrom('a', 'b', 'c'), fc.constantFrom(0, 1)),
      {
        minLength: 1,
        maxLength: 20,
      },
    );
    const wanted = parsePipeline({
      label: 'y',
      steps: [{ kind: 'impute', how: 'median' }],
      disclosure: { minimumCount: 1 },
    });
    fc.assert(
      fc.property(fc.array(silo, { minLength: 3, maxLength: 3 }), (silos) => {
        const [a, b, c] = silos.map((rows) => summarise(tableOf(rows), wanted));
        const left = mergeSummaries([mergeSummaries([a, b]), c]);
        const right = mergeSummaries([a, mergeSummaries([b, c])]);
        const exact = ({ columns, ...rest }: typeof a) => ({
          ...rest,
          columns: columns.map(({ numeric, ...column }) => ({ ...column, count: numeric?.count, min: numeric?.min })),
        });
        expect(exact(left)).toEqual(exact(right));
        expect(left.columns[0].numeric?.mean).toBeCloseTo(right.columns[0].numeric?.mean ?? Number.NaN, 9);
      }),
    );
  });

  it.each([
    ['a row count that is no count', { rows: -1 }, /summary-invalid.*rows/],
    ['a field that is not known', { row0: ['Kiel'] }, /summary-invalid.*row0/],
    [
      'a spread that cannot be',
      {
        columns: [
          {
            name: 'x',
            rows: 1,
            missing: 0,
            categories: [],
            numeric: { count: 1, mean: 0, squares: -1, integers: true },
          },
        ],
      },
      /squares/,
    ],
  ])('refuses a summary with %s', (_, change, message) => {
    expect(() => parseSummary({ ...summaryWith({}), ...change })).toThrow(message);
  });
});

describe('a pipeline', () => {
  it.each([
    ['an unknown step', { label: 'y', steps: [{ kind: 'shuffle' }] }],
    ['bounds the wrong way round', { label: 'y', steps: [{ kind: 'clip', by: 'bounds', low: 1, high: 0 }] }],
    ['no label', { steps: [] }],
    ['a column declared twice', { label: 'y', columns: [{ name: 'a' }, { name: 'a' }] }],
  ])('is refused with %s', (_, input) => {
    expect(() => parsePipeline(input)).toThrow(/pipeline-invalid/);
  });
});
