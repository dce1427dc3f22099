/** What is wrong with the text, and where. */
export class CsvFault extends Error {
  override readonly name = 'CsvFault';
  /** Where the record starts, from 1. */
  readonly line: number;

  constructor(line: number, message: string) {
    super(message);
    this.line = line;
  }
}

export interface CsvOptions {
  /** One character. */
  readonly delimiter: string;
  /** Takes ragged rows and stray quotes as they are, to look at a file. Default false. */
  readonly lenient?: boolean;
  /** The most records to read. Default all. */
  readonly most?: number;
}

/**
 * Records of comma-separated text (RFC 4180), with any delimiter and line ending. Cells are trimmed outside of quotes; empty lines are
 * left out.
 * @throws {CsvFault} on a row of another length than the first, a quote that is not closed, and a quote inside a cell
 */
export function csvRecords(text: string, { delimiter, lenient = false, most = Infinity }: CsvOptions): string[][] {
  const records: string[][] = [];
  let at = 0;
  let line = 1;
  while (at < text.length && records.length < most) {
    const start = line;
    const record: string[] = [];
    let quoted = false;
    for (let more = true; more; ) {
      const cell = readCell(text, at, delimiter, lenient);
      if (typeof cell === 'string') throw new CsvFault(start, cell);
      record.push(cell.value);
      quoted ||= cell.quoted;
      line += cell.lines;
      more = text[cell.end] === delimiter;
      at = cell.end + 1;
    }
    if (text[at - 1] === '\r' && text[at] === '\n') at++;
    line++;
    if (record.length === 1 && record[0] === '' && !quoted) continue;
    const expected = records[0]?.length ?? record.length;
    if (!lenient && record.length !== expected) {
      throw new CsvFault(start, `${record.length} fields, expected ${expected}`);
    }
    records.push(record);
  }
  return records;
}

interface Cell {
  readonly value: string;
  readonly quoted: boolean;
  /** Where its delimiter or line break stands, or the text's length. */
  readonly end: number;
  /** Line breaks inside its quotes. */
  readonly lines: number;
}

/** @returns the cell, or what is wrong with it */
function readCell(text: string, from: number, delimiter: string, lenient: boolean): Cell | string {
  let start = from;
  while ((text[start] === ' ' || text[start] === '\t') && text[start] !== delimiter) start++;
  if (text[start] === '"') {
    const quoted = readQuoted(text, start, delimiter);
    if (typeof quoted !== 'string' || !lenient) return quoted;
  }
  const end = endOf(text, start, delimiter);
  const value = text.slice(start, end).trim();
  if (!lenient && value.includes('"')) return 'a quote inside a cell that does not start with one';
  return { value, quoted: false, end, lines: 0 };
}

function readQuoted(text: string, start: number, delimiter: string): Cell | string {
  let close = text.indexOf('"', start + 1);
  while (close >= 0 && text[close + 1] === '"') close = text.indexOf('"', close + 2);
  if (close < 0) return 'a quote is opened and never closed';
  const end = endOf(text, close + 1, delimiter);
  if (text.slice(close + 1, end).trim() !== '') return 'text behind a closing quote';
  const value = text.slice(start + 1, close).replaceAll('""', '"');
  return { value, quoted: true, end, lines: value.split(/\r\n|\r|\n/).length - 1 };
}

function endOf(text: string, from: number, delimiter: string): number {
  let end = from;
  for (; end < text.length; end++) {
    const character = text[end];
    if (character === delimiter || character === '\n' || character === '\r') break;
  }
  return end;
}
