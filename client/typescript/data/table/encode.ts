import { FlError } from '../../../../shared/core/errors.ts';
import { firstNonFinite } from '../../../../shared/core/finite.ts';
import type { Samples } from '../../../../shared/core/samples.ts';
import { shown } from '../../../../shared/core/shown.ts';
import { Cells } from './cells.ts';
import { type ColumnRule, type Encoding, featureNames, numericNames } from './encoding.ts';
import { columnOf, type Frame, frameOf } from './frame.ts';
import { canonicalLabel } from './label.ts';
import { applySteps } from './steps/apply.ts';
import type { Table } from './table.ts';

export interface EncodeOptions {
  /** Row indices, each with a label. Default: all that have one. */
  readonly rows?: ArrayLike<number>;
  /** Rows of the table that nearest neighbours are taken from: the training rows. Default `rows`. */
  readonly donors?: ArrayLike<number>;
}

/**
 * Encodes rows of one silo by what was agreed; runs where the rows are. x has shape `[features]`; a number that is missing still is 0.
 * @throws {FlError} label-missing if the table has no label column; label-unsuitable on a class the encoding lacks;
 *   encoding-incomplete; encoding-invalid if a feature comes out beyond float32
 */
export function encode(table: Table, encoding: Encoding, options: EncodeOptions = {}): Samples {
  const { pipeline, columns, complete } = encoding;
  if (!complete) throw new FlError('encoding-incomplete', 'the silos have to agree once more: summarise under it');
  const rows = options.rows ?? labelledRows(table, pipeline.label);
  const { donors = rows } = options;
  const names = numericNames(encoding);
  const frame = frameOf(table, pipeline, names, rows);
  const usesDonors = donors !== rows && encoding.steps.some(({ kind }) => kind === 'fill-nearest');
  applySteps(encoding.steps, frame, usesDonors ? frameOf(table, pipeline, names, donors) : frame);

  const width = columns.reduce((sum, rule) => sum + featureNames(rule).length, 0);
  const x = new Float32Array(rows.length * width);
  let at = 0;
  for (const rule of columns) {
    const cells = new Cells(table, rule.name, pipeline);
    const column = { x, at, width, rows, cells };
    if (rule.kind === 'numeric') writeNumbers(column, rule, frame);
    else writeCategories(column, rule);
    at += featureNames(rule).length;
  }
  const strange = firstNonFinite(x);
  if (strange >= 0) {
    const feature = columns.flatMap(featureNames)[strange % width];
    throw new FlError('encoding-invalid', `the encoding makes ${x[strange]} of ${shown(feature)}`);
  }
  return { x, y: classesAt(table, encoding, rows), n: rows.length, shape: [width] };
}

/** The rows that have a label. @throws {FlError} label-missing */
export function labelledRows(table: Table, label: string): Uint32Array {
  const column = labelColumn(table, label);
  return Uint32Array.from([...table.rows.keys()].filter((row) => canonicalLabel(table.rows[row][column]) !== ''));
}

interface Column {
  readonly x: Float32Array;
  /** Position of its first feature in an example of `width`. */
  readonly at: number;
  readonly width: number;
  readonly rows: ArrayLike<number>;
  readonly cells: Cells;
}

function writeNumbers({ x, at, width, rows, cells }: Column, rule: ColumnRule, frame: Frame): void {
  const values = columnOf(frame, rule.name);
  for (let i = 0; i < rows.length; i++) {
    const start = i * width + at;
    x[start] = Number.isNaN(values[i]) ? 0 : values[i];
    if (rule.missing && Number.isNaN(cells.number(rows[i]))) x[start + 1] = 1;
  }
}

function writeCategories(
  { x, at, width, rows, cells }: Column,
  { categories, other, missing }: Extract<ColumnRule, { kind: 'categorical' }>,
): void {
  const positions = new Map(categories.map((category, i) => [category, i]));
  const otherAt = other ? categories.length : -1;
  const missingAt = missing ? categories.length + (other ? 1 : 0) : -1;
  for (let i = 0; i < rows.length; i++) {
    const word = cells.word(rows[i]);
    const position = word === '' ? missingAt : (positions.get(word) ?? otherAt);
    if (position >= 0) x[i * width + at + position] = 1;
  }
}

function classesAt(table: Table, { pipeline, classes }: Encoding, rows: ArrayLike<number>): Int32Array {
  const column = labelColumn(table, pipeline.label);
  const indices = new Map(classes.map((label, c) => [label, c]));
  return Int32Array.from({ length: rows.length }, (_, i) => {
    const label = canonicalLabel(table.rows[rows[i]][column]);
    const index = indices.get(label);
    if (index === undefined) throw new FlError('label-unsuitable', `${table.file}: "${label}" is none of the classes`);
    return index;
  });
}

function labelColumn({ columns, file }: Table, label: string): number {
  const column = columns.indexOf(label);
  if (column < 0) throw new FlError('label-missing', `${file}: no column "${label}"`);
  return column;
}
