import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encode } from '../../../../client/typescript/data/table/encode.ts';
import { type Encoding, featureNames } from '../../../../client/typescript/data/table/encoding.ts';
import { fitPipeline } from '../../../../client/typescript/data/table/fit.ts';
import { canonicalLabel, classesOf } from '../../../../client/typescript/data/table/label.ts';
import { mergeSummaries } from '../../../../client/typescript/data/table/merge.ts';
import { type PipelineInput, parsePipeline } from '../../../../client/typescript/data/table/pipeline.ts';
import { summarise } from '../../../../client/typescript/data/table/summarise.ts';
import { parseSummary } from '../../../../client/typescript/data/table/summary.ts';
import { parseTable, type Table } from '../../../../client/typescript/data/table/table.ts';

const table = (text: string, file = 'a.csv', header?: boolean): Table => {
  const parsed = parseTable(text, file, header);
  if (!parsed) throw new Error('the test wrote an empty table');
  return parsed;
};
const pipelineOf = (options: Partial<PipelineInput> = {}) => parsePipeline({ label: 'y', ...options });
const summaryOf = (t: Table, options: Partial<PipelineInput> = {}) => summarise(t, pipelineOf(options));
/** Small tables: no category is too rare to tell. */
const agree = (tables: readonly Table[], options: Partial<PipelineInput> = {}): Encoding =>
  fitPipeline(
    tables.map((t) => ({ table: t })),
    pipelineOf({ disclosure: { minimumCount: 1 }, ...options }),
  );
const kept = (name: string): Partial<PipelineInput> => ({ columns: [{ name, kind: 'auto' }] });
const x = (t: Table, encoding: Encoding, rows: number[]) => [...encode(t, encoding, { rows }).x];

describe('summaries', () => {
  it('merge to the moments of all rows, however the rows are cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(fc.integer({ min: -1000, max: 1000 }), { minLength: 1 }), { minLength: 1 }),
        (silos) => {
          const summaries = silos.map((values) =>
            summaryOf(table(`x,y\n${values.map((v) => `${v},a`).join('\n')}\n`, 'a.csv', true)),
          );
          const [{ numeric }] = mergeSummaries(summaries).columns;
          const all = silos.flat();
          const mean = all.reduce((sum, v) => sum + v, 0) / all.length;
          expect(numeric?.count).toBe(all.length);
          expect(numeric?.mean).toBeCloseTo(mean, 8);
          expect(numeric?.squares).toBeCloseTo(
            all.reduce((sum, v) => sum + (v - mean) ** 2, 0),
            4,
          );
          expect([numeric?.min, numeric?.max]).toEqual([Math.min(...all), Math.max(...all)]);
        },
      ),
    );
  });

  it('do not cancel far from zero, as sums of squares would', () => {
    const summaries = ['1000000001', '1000000003'].map((v) => summaryOf(table(`x,y\n${v},a\n`)));
    expect(mergeSummaries(summaries).columns[0].numeric?.squares).toBe(2);
  });

  it('keep rare values, and every value of a free-text column, in the silo', () => {
    const rows = Array.from({ length: 10 }, (_, i) => `patient ${i},${i === 0 ? 'plague' : 'flu'},a`);
    const summary = summaryOf(table(`name,illness,y\n${rows.join('\n')}\n`));
    const sent = JSON.stringify(summary);
    expect(sent).not.toContain('patient');
    expect(sent).not.toContain('plague');
    expect(sent).toContain('flu');
  });

  it('survive JSON, as they would on the way to a coordinator', () => {
    const summary = summaryOf(table('x,y\n1,a\n,b\n'));
    expect(mergeSummaries([parseSummary(JSON.parse(JSON.stringify(summary)))])).toEqual(mergeSummaries([summary]));
  });

  it('are not confused by names and values such as __proto__', () => {
    const t = table('__proto__,constructor,y\n__proto__,1,a\ntoString,2,b\n__proto__,4,a\n', 'a.csv', true);
    const encoding = agree([t]);
    expect(encoding.columns.flatMap(featureNames)).toEqual([
      '__proto__=__proto__',
      '__proto__=toString',
      'constructor',
    ]);
    expect(x(t, encoding, [0]).slice(0, 2)).toEqual([1, 0]);
  });
});

describe('schema and encoding', () => {
  it('standardise by the mean and variance of all silos', () => {
    // Values 1, 3 and 5, 7: mean 4, population variance 5.
    const [a, b] = [table('x,y\n1,n\n3,p\n'), table('x,y\n5,n\n7,p\n')];
    const encoding = agree([a, b]);
    expect(encoding.columns).toEqual([{ kind: 'numeric', name: 'x', missing: false }]);
    expect(encoding.steps[0]).toEqual({ kind: 'scale', columns: [{ name: 'x', mean: 4, deviation: Math.sqrt(5) }] });
    const { x, y, shape } = encode(b, encoding, { rows: [1, 0] });
    expect(shape).toEqual([1]);
    expect(x[0]).toBeCloseTo(3 / Math.sqrt(5), 6);
    expect(x[1]).toBeCloseTo(1 / Math.sqrt(5), 6);
    expect([...y]).toEqual([1, 0]);
  });

  it('put a missing number at the mean and say so in a feature of its own', () => {
    const t = table('x,y\n1,n\n?,p\n3,n\n');
    const encoding = agree([t]);
    expect(encoding.columns.flatMap(featureNames)).toEqual(['x', 'x missing']);
    expect(x(t, encoding, [0, 1, 2])).toEqual([-1, 0, 0, 1, 1, 0]);
    expect(x(t, agree([t], { missingIndicator: false }), [0, 1, 2])).toEqual([-1, 0, 1]);
  });

  it('one-hot the most frequent categories and gather the rest', () => {
    const t = table('c,y\nred,n\nred,p\nblue,n\nblue,n\nblue,p\ngreen,p\n,p\n', 'a.csv', true);
    const encoding = agree([t], { maximumCategories: 2 });
    expect(encoding.columns.flatMap(featureNames)).toEqual(['c=blue', 'c=red', 'c: other', 'c missing']);
    expect(x(t, encoding, [0, 2, 5, 6])).toEqual([0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1]);
    expect(encoding.notes.join()).toContain('the 2 most frequent values');
  });

  it('match columns by name: order may differ, an absent column is missing', () => {
    const a = table('x,z,y\n1,10,n\n3,20,p\n');
    const b = table('y,x\nn,5\np,7\n');
    const encoding = agree([a, b]);
    expect(encoding.columns.map(({ name, missing }) => [name, missing])).toEqual([
      ['x', false],
      ['z', true],
    ]);
    expect(x(b, encoding, [0]).map((v) => Math.round(v * 1000))).toEqual([447, 0, 1000]);
  });

  it('drop constant and empty columns with a note', () => {
    const encoding = agree([table('k,e,s,x,y\n5,,same,1,n\n5,,same,2,p\n')]);
    expect(encoding.columns.map(({ name }) => name)).toEqual(['x']);
    expect(encoding.notes).toEqual([
      'dropped column "k": constant',
      'dropped column "e": always missing',
      'dropped column "s": constant',
    ]);
  });

  const people = (column: (i: number) => string | number, name: string) =>
    table(`${name},x,y\n${Array.from({ length: 100 }, (_, i) => `${column(i)},${i % 7},${i % 2}`).join('\n')}\n`);

  it.each([
    ['a number named like one', 'patient_id', (i: number) => 100_000 + i * 37],
    ['the clinic code of UCI Wisconsin', 'Sample code number', (i: number) => 61_634 + ((i * 7919) % 13_000_000)],
    ['a row counter', 'line', (i: number) => i + 1],
    ['free text', 'remark', (i: number) => `seen by nurse ${i}`],
  ])('drop identifiers: %s', (_, name, column) => {
    const encoding = agree([people(column, name)]);
    expect(encoding.columns.map((rule) => rule.name)).toEqual(['x']);
    expect(encoding.notes[0]).toMatch(/looks like an identifier/);
    expect(agree([people(column, name)], kept(name)).columns).toHaveLength(2);
  });

  it('keep the ages of many small silos, although no two in a silo are the same', () => {
    const silos = Array.from({ length: 20 }, (_, k) => {
      const rows = Array.from({ length: 5 }, (_, i) => `${20 + i * 20 + k},${i % 2}`);
      return table(`${rows.join('\n')}\n`.replace(/^/, 'age,y\n'));
    });
    expect(agree(silos).columns).toHaveLength(1);
    expect(agree(silos.map((t) => ({ ...t, named: false }))).columns).toHaveLength(1);
  });

  it('keep whole-number measurements although nearly all differ', () => {
    expect(agree([people((i) => 150_000 + ((i * 7919) % 200_000), 'platelets')]).columns).toHaveLength(2);
  });

  it('leave out columns on request', () => {
    expect(
      agree([table('x,z,y\n1,2,n\n2,3,p\n')], { columns: [{ name: 'z', kind: 'drop' }] }).columns.map(
        ({ name }) => name,
      ),
    ).toEqual(['x']);
  });

  it('take a stray word in a column of numbers for missing, with a note', () => {
    const rows = Array.from({ length: 60 }, (_, i) => `${i === 9 ? 'unknown' : i % 10},${i % 2}`);
    const t = table(`x,y\n${rows.join('\n')}\n`);
    const header = table(`x,y\n${rows.join('\n')}\n`, 'a.csv', true);
    expect(header.rows).toEqual(t.rows.slice(t.named ? 0 : 1));
    const encoding = agree([header]);
    expect(encoding.columns[0].kind).toBe('numeric');
    expect(encoding.notes).toEqual(['column "x": 1 of 60 values are no numbers, taken as missing']);
  });

  it('cut off a typing error at ten deviations', () => {
    const t = table(`x,y\n${Array.from({ length: 500 }, (_, i) => `${i === 0 ? 1e9 : i % 10},${i % 2}`).join('\n')}\n`);
    expect(x(t, agree([t]), [0])[0]).toBe(10);
  });

  it('refuse a table without one usable feature', () => {
    expect(() => agree([table('k,y\n5,n\n5,p\n')])).toThrow(/no usable feature.*constant/);
  });
});

describe('labels', () => {
  const labelled = (values: readonly (string | number)[]) =>
    mergeSummaries([summaryOf(table(`x,y\n${values.map((v, i) => `${i},${v}`).join('\n')}\n`, 'a.csv', true))]);

  it.each([
    ['>50K.', '>50K'],
    ['1.0', '1'],
    ['1.', '1'],
    ['.', '.'],
    ['', ''],
  ])('spell %j as %j', (cell, label) => expect(canonicalLabel(cell)).toBe(label));

  it('order numbers by value and words by code unit', () => {
    expect(classesOf(labelled([10, 9, '2.0', 9]), 'y')).toEqual(['2', '9', '10']);
    expect(classesOf(labelled(['b', 'a', 'B']), 'y')).toEqual(['B', 'a', 'b']);
  });

  it('refuse one class, measurements and free text, saying what to do', () => {
    expect(() => classesOf(labelled(['a', 'a']), 'y')).toThrow(/at least two classes.*\["a"\]/);
    expect(() => classesOf(labelled(Array.from({ length: 90 }, (_, i) => i + 0.5)), 'y')).toThrow(
      /regression is not supported.*--label/,
    );
    expect(() => classesOf(labelled(Array.from({ length: 90 }, (_, i) => i)), 'y')).toThrow(/regression/);
    expect(() => classesOf(labelled(Array.from({ length: 90 }, (_, i) => `name ${i}`)), 'y')).toThrow(/no classes/);
    expect(() => labelled(Array.from({ length: 1500 }, (_, i) => i))).toThrow(/label-unsuitable.*1000 distinct/);
  });
});
