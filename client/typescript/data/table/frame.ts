import { Cells } from './cells.ts';
import type { Pipeline } from './pipeline.ts';
import type { Table } from './table.ts';

/** Numeric columns of some rows, one array per column; NaN is missing. The steps write to it. */
export interface Frame {
  readonly rows: number;
  readonly numeric: ReadonlyMap<string, Float64Array>;
}

export function frameOf(table: Table, pipeline: Pipeline, names: readonly string[], rows: ArrayLike<number>): Frame {
  return {
    rows: rows.length,
    numeric: new Map(names.map((name) => [name, new Cells(table, name, pipeline).numbers(rows)])),
  };
}

/** @throws {RangeError} if the frame has no such column */
export function columnOf({ numeric }: Frame, name: string): Float64Array {
  const values = numeric.get(name);
  if (!values) throw new RangeError(`name: the frame has no column "${name}"`);
  return values;
}
