import { FlError } from '../../../shared/core/errors.ts';
import type { Samples } from '../../../shared/core/samples.ts';
import { canonicalLabel } from './label.ts';
import { numberOf } from './number.ts';
import { type ColumnRule, featureNames, type Schema } from './schema.ts';
import type { Table } from './table.ts';

/** Standardised values are cut off here: one typing error of 1e9 must not blow up a client's gradient. */
const largestScore = 10;

/**
 * Encodes rows of one silo by the agreed schema; runs where the rows are. x has shape `[features]`.
 * @param rows row indices, each with a label
 * @throws {FlError} label-missing if the table has no label column; label-unsuitable on a class the schema lacks
 */
export function encode(table: Table, schema: Schema, rows: ArrayLike<number>): Samples {
  const labelIndex = table.columns.indexOf(schema.label);
  if (labelIndex < 0) throw new FlError('label-missing', `${table.file}: no column "${schema.label}"`);
  const classes = new Map(schema.classes.map((label, c) => [label, c]));
  const encoders = schema.columns.map((rule) => columnEncoder(rule, table));
  const width = encoders.reduce((sum, encoder) => sum + encoder.width, 0);
  const x = new Float32Array(rows.length * width);
  const y = new Int32Array(rows.length);
  for (let i = 0; i < rows.length; i++) {
    const row = table.rows[rows[i]];
    const label = canonicalLabel(row[labelIndex]);
    const index = classes.get(label);
    if (index === undefined) throw new FlError('label-unsuitable', `${table.file}: "${label}" is none of the classes`);
    y[i] = index;
    let at = i * width;
    for (const encoder of encoders) {
      encoder.write(row, x, at);
      at += encoder.width;
    }
  }
  return { x, y, n: rows.length, shape: [width] };
}

interface ColumnEncoder {
  readonly width: number;
  /** Writes the features of the row's cell at `x[at]`; `x` is zero there. */
  write(row: readonly string[], x: Float32Array, at: number): void;
}

function columnEncoder(rule: ColumnRule, table: Table): ColumnEncoder {
  const column = table.columns.indexOf(rule.name);
  const cellOf = (row: readonly string[]) => (column < 0 ? '' : row[column]);
  const width = featureNames(rule).length;
  const missingAt = rule.missing ? width - 1 : -1;
  if (rule.kind === 'numeric') {
    return {
      width,
      write(row, x, at) {
        const value = numberOf(cellOf(row), table.decimalComma);
        if (value !== undefined) x[at] = clip((value - rule.mean) / rule.deviation);
        else if (missingAt >= 0) x[at + missingAt] = 1;
      },
    };
  }
  const positions = new Map(rule.categories.map((category, i) => [category, i]));
  const otherAt = rule.other ? rule.categories.length : -1;
  return {
    width,
    write(row, x, at) {
      const cell = cellOf(row);
      const position = cell === '' ? missingAt : (positions.get(cell) ?? otherAt);
      if (position >= 0) x[at + position] = 1;
    },
  };
}

function clip(score: number): number {
  return Math.max(-largestScore, Math.min(largestScore, score));
}
