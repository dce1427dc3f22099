import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { numberOf } from '../../../../client/typescript/data/table/number.ts';
import { parseTable } from '../../../../client/typescript/data/table/table.ts';
import { FlError } from '../../../../shared/core/errors.ts';

describe('parseTable', () => {
  it('reads header, quotes, CRLF and a byte-order mark', () => {
    const table = parseTable('\ufeffname,age\r\n"Doe, Jane",31\r\n"says ""hi""",40\r\n', 'a.csv');
    expect(table?.columns).toEqual(['name', 'age']);
    expect(table?.rows).toEqual([
      ['Doe, Jane', '31'],
      ['says "hi"', '40'],
    ]);
  });

  it.each([
    [',', '1,2,3\n4,5,6\n'],
    [';', '1;2;3\n4;5;6\n'],
    ['tab', '1\t2\t3\n4\t5\t6\n'],
    ['; with decimal commas', '1;2,5;3\n4;5,5;6\n'],
  ])('finds the delimiter %s', (_, text) => {
    expect(parseTable(text, 'a.csv')?.rows.map((row) => row.length)).toEqual([3, 3]);
  });

  it('reads decimal commas only where commas do not cut', () => {
    expect(parseTable('1;2,5\n3;4,5\n', 'a.csv')).toMatchObject({
      decimalComma: true,
      rows: [
        ['1', '2,5'],
        ['3', '4,5'],
      ],
    });
    expect(parseTable('1,2;5\n3,4;5\n', 'a.csv')?.decimalComma).toBe(true);
    expect(parseTable('1,2.5\n', 'a.csv')?.decimalComma).toBe(false);
    expect(numberOf('2,5', true)).toBe(2.5);
    expect(numberOf('2,5', false)).toBeUndefined();
  });

  it('takes ?, NA, NaN, null and blanks for missing, whatever their case', () => {
    const table = parseTable('1,?, NA ,nan,NULL,n/a,\n1,2,3,4,5,6,7\n', 'a.csv');
    expect(table?.rows[0]).toEqual(['1', '', '', '', '', '', '']);
  });

  it.each([
    ['names above numbers', 'a,b\n1,x\n2,y\n', true],
    ['names above other words', 'shape,color\nround,red\nsquare,red\n', true],
    ['numbers only', '1,2\n3,4\n', false],
    ['a first row like the others', 'red,round\nred,square\n', false],
    ['names that repeat', 'a,a\n1,2\n', false],
    ['an empty name', ',b\n1,2\n', false],
  ])('tells a header by content: %s', (_, text, named) => {
    expect(parseTable(text, 'a.csv')?.named).toBe(named);
  });

  it('believes the caller about the header', () => {
    expect(parseTable('a,b\n1,2\n', 'a.csv', false)?.rows).toHaveLength(2);
    expect(parseTable('2019,2020\n1,2\n', 'a.csv', true)?.columns).toEqual(['2019', '2020']);
  });

  it('names file and line of a ragged row', () => {
    expect(() => parseTable('a,b,c\n1,2,3\n4,5\n', 'ward.csv')).toThrow(
      /\[data-malformed\] ward\.csv:3: 2 fields, expected 3/,
    );
    expect(() => parseTable('1,2,3\n\n4,5,6\n4,5,6,7\n', 'ward.csv')).toThrow(/ward\.csv:4: 4 fields, expected 3/);
  });

  it('names file and line of a broken quote', () => {
    expect(() => parseTable('a,b\n1,"2\n3,4\n', 'ward.csv')).toThrow(/ward\.csv:\d+: .*never closed/);
    expect(() => parseTable('a,b\n1,"2"x\n', 'ward.csv')).toThrow(/ward\.csv:2: /);
  });

  it('refuses duplicate names in a header that the caller vouches for', () => {
    expect(() => parseTable('a,a\n1,2\n', 'ward.csv', true)).toThrow(/ward\.csv:1: column "a" appears twice/);
  });

  it.each(['', '\n\n', '\ufeff', '  \n'])('finds nothing in %j', (text) => {
    expect(parseTable(text, 'a.csv')).toBeUndefined();
  });

  it('reads a header without rows', () => {
    expect(parseTable('a,b\n', 'a.csv')).toMatchObject({ columns: ['a', 'b'], rows: [] });
  });

  it('skips the first line of UCI adult.test', () => {
    expect(parseTable('|1x3 Cross validator\n25, Private, <=50K.\n', 'adult.test')?.rows).toEqual([
      ['25', 'Private', '<=50K.'],
    ]);
  });

  it('refuses binary content', () => {
    expect(() => parseTable('a\0b', 'a.csv')).toThrow(/data-malformed.*NUL/);
  });

  it('answers any text with a rectangle, nothing, or an FlError', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'ab1,;\t"\n\r ?.|') }), (text) => {
        try {
          const table = parseTable(text, 'a.csv');
          for (const row of table?.rows ?? []) expect(row).toHaveLength(table?.columns.length ?? -1);
        } catch (error) {
          expect(error).toBeInstanceOf(FlError);
        }
      }),
      { numRuns: 1000 },
    );
  });
});

describe('numberOf', () => {
  it.each([
    ['1', 1],
    ['-0.5', -0.5],
    ['.5', 0.5],
    ['1e3', 1000],
    ['+7.', 7],
  ])('reads %s', (cell, value) => expect(numberOf(cell, false)).toBe(value));

  it.each(['', 'Infinity', 'NaN', '0x10', '1 000', '1e99', '--1', '1e', '.'])('takes "%s" for no number', (cell) => {
    expect(numberOf(cell, false)).toBeUndefined();
  });
});
