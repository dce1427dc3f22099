import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { csvRecords } from '../../../../client/typescript/data/table/csv-records.ts';

it('reads any text as csv-parse does, or refuses it as csv-parse does', () => {
  const text = fc.string({ unit: fc.constantFrom(...'ab1,, "\n'), maxLength: 40 });
  let read = 0;
  fc.assert(
    fc.property(text, (content) => {
      let expected: string[][] | undefined;
      try {
        expected = parse(content, { trim: true, skip_empty_lines: true });
      } catch {
        expect(() => csvRecords(content, { delimiter: ',' })).toThrow();
        return;
      }
      read++;
      expect(csvRecords(content, { delimiter: ',' })).toEqual(expected);
    }),
    { numRuns: 3000, seed: 1 },
  );
  expect(read).toBeGreaterThan(300);
});

it('keeps line breaks, delimiters and doubled quotes inside of quotes', () => {
  expect(csvRecords('a;"b\r\nc;""d"""\r\n1; " 2 " \r3;4', { delimiter: ';' })).toEqual([
    ['a', 'b\r\nc;"d"'],
    ['1', ' 2 '],
    ['3', '4'],
  ]);
});

it('names the line of a fault, lines inside of quotes counted', () => {
  expect(() => csvRecords('a,b\n"1\n\n1",2\n\n3\n', { delimiter: ',' })).toThrow(
    expect.objectContaining({ line: 6, message: '1 fields, expected 2' }),
  );
});
