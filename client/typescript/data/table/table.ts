import { FlError } from '../../../../shared/core/errors.ts';
import { CsvFault, csvRecords } from './csv-records.ts';
import { numberOf } from './number.ts';

/** One silo's rows as text: cells are trimmed, and a missing value is ''. */
export interface Table {
  /** The file's name, for messages. */
  readonly file: string;
  /** Column names from the header, or `column 0`, `column 1`... */
  readonly columns: readonly string[];
  /** True if the names come from a header. */
  readonly named: boolean;
  readonly rows: readonly (readonly string[])[];
  /** True if `1,5` means 1.5: files that are not cut by commas. */
  readonly decimalComma: boolean;
}

/** Of one line. */
const mostLineCharacters = 1 << 20;
const delimiters = [',', ';', '\t'];
const missingWords = new Set(['?', 'na', 'n/a', 'nan', 'null', '#n/a']);

/**
 * Parses CSV text (RFC 4180, any line ending, quotes, byte-order mark). The delimiter is the one that cuts the first lines
 * into the most columns of one count. A header is found by content unless `header` says.
 * @returns undefined if there is no row and no header
 * @throws {FlError} data-malformed with file and line on ragged rows, broken quotes and duplicate column names
 */
export function parseTable(text: string, file: string, header?: boolean): Table | undefined {
  const content = withoutMarks(text, file);
  requireShortLines(content, file);
  const delimiter = delimiterOf(content);
  const records = parseRecords(content, file, delimiter).map((record) => record.map(cleaned));
  if (records.length === 0) return undefined;
  const decimalComma = delimiter !== ',';
  const named = header ?? looksLikeHeader(records, decimalComma);
  const columns = named ? records[0] : records[0].map((_, i) => `column ${i}`);
  if (named) requireUniqueNames(columns, file);
  return { file, columns, named, rows: named ? records.slice(1) : records, decimalComma };
}

function parseRecords(content: string, file: string, delimiter: string): string[][] {
  try {
    return csvRecords(content, { delimiter });
  } catch (cause) {
    if (!(cause instanceof CsvFault)) throw cause;
    throw new FlError('data-malformed', `${file}:${cause.line}: ${cause.message}`, { cause });
  }
}

/** A longer line is no row: it would be cut into as many cells as it has delimiters. */
function requireShortLines(content: string, file: string): void {
  const ends = /[\r\n]/g;
  for (let line = 1, start = 0; start < content.length; line++) {
    ends.lastIndex = start;
    const end = ends.exec(content)?.index ?? content.length;
    if (end - start > mostLineCharacters) {
      throw new FlError(
        'data-malformed',
        `${file}:${line}: a line of ${end - start} characters, at most ${mostLineCharacters}`,
      );
    }
    start = end + 1;
  }
}

/** The text without byte-order mark and without the `|1x3 Cross validator` line that opens UCI's adult.test. */
function withoutMarks(text: string, file: string): string {
  if (text.includes('\0'))
    throw new FlError('data-malformed', `${file}: holds NUL characters, so it is no CSV text in UTF-8`);
  const plain = text.startsWith('\ufeff') ? text.slice(1) : text;
  return plain.startsWith('|') ? plain.slice(plain.indexOf('\n') + 1 || plain.length) : plain;
}

function delimiterOf(content: string): string {
  let best: { delimiter: string; columns: number; numbers: number } | undefined;
  for (const delimiter of delimiters) {
    const head = csvRecords(content, { delimiter, lenient: true, most: 20 });
    const columns = head[0]?.length ?? 0;
    if (columns < 2 || head.some((record) => record.length !== columns)) continue;
    // `1;2,5` cuts into two either way; as `1` and `2,5` both are numbers.
    const numbers = head.flat().filter((cell) => numberOf(cell, delimiter !== ',') !== undefined).length;
    if (!best || columns > best.columns || (columns === best.columns && numbers > best.numbers)) {
      best = { delimiter, columns, numbers };
    }
  }
  if (best) return best.delimiter;
  // No delimiter cuts evenly (a ragged file): take the one that the first line has most of, so that the error speaks of it.
  const start = content.slice(0, mostLineCharacters);
  const first = start.slice(0, start.search(/[\r\n]|$/));
  return delimiters.reduce((a, b) => (first.split(b).length > first.split(a).length ? b : a));
}

/** A header has distinct, non-empty names, no numbers, and stands above a column of numbers or of other words. */
function looksLikeHeader(records: readonly string[][], decimalComma: boolean): boolean {
  const [first, ...rest] = records;
  if (first.some((cell) => cell === '' || numberOf(cell, decimalComma) !== undefined)) return false;
  if (new Set(first).size !== first.length) return false;
  if (rest.length === 0) return true;
  const sample = rest.slice(0, 1000);
  const numeric = first.some((_, c) => {
    const cells = sample.map((row) => row[c]).filter((cell) => cell !== '');
    return cells.length > 0 && cells.every((cell) => numberOf(cell, decimalComma) !== undefined);
  });
  return numeric || first.every((name, c) => sample.every((row) => row[c] !== name));
}

function requireUniqueNames(columns: readonly string[], file: string): void {
  const seen = new Set<string>();
  for (const name of columns) {
    if (seen.has(name)) throw new FlError('data-malformed', `${file}:1: column "${name}" appears twice`);
    seen.add(name);
  }
}

function cleaned(cell: string): string {
  const trimmed = cell.trim();
  return missingWords.has(trimmed.toLowerCase()) ? '' : trimmed;
}
