import { numberOf } from './number.ts';
import type { ColumnDeclaration, Pipeline } from './pipeline.ts';
import type { Table } from './table.ts';

/** Reads one column of some rows as the pipeline declares it. An absent column is missing in every row. */
export class Cells {
  readonly #table: Table;
  readonly #column: number;
  readonly #declared: ColumnDeclaration | undefined;
  readonly #missingWords: ReadonlySet<string>;
  readonly #missingNumbers: ReadonlySet<number>;

  constructor(table: Table, name: string, { columns }: Pipeline) {
    this.#table = table;
    this.#column = table.columns.indexOf(name);
    this.#declared = columns.find((column) => column.name === name);
    const missing = this.#declared?.missing ?? [];
    this.#missingWords = new Set(missing);
    this.#missingNumbers = new Set(missing.flatMap((word) => numberOf(word, table.decimalComma) ?? []));
  }

  /** The cell's text, '' where it is missing. */
  word(row: number): string {
    if (this.#column < 0) return '';
    const cell = this.#table.rows[row][this.#column];
    if (this.#missingWords.size === 0 || cell === '') return cell;
    const value = numberOf(cell, this.#table.decimalComma);
    const isMissing = this.#missingWords.has(cell) || (value !== undefined && this.#missingNumbers.has(value));
    return isMissing ? '' : cell;
  }

  /** The cell's number, NaN where it is missing, no number, or outside the declared range. */
  number(row: number): number {
    const value = numberOf(this.word(row), this.#table.decimalComma) ?? Number.NaN;
    const [low, high] = this.#declared?.range ?? [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
    return value >= low && value <= high ? value : Number.NaN;
  }

  numbers(rows: ArrayLike<number>): Float64Array {
    return Float64Array.from({ length: rows.length }, (_, i) => this.number(rows[i]));
  }
}
