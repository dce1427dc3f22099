import { labelledRows } from '../../../client/typescript/data/table/encode.ts';
import type { Table } from '../../../client/typescript/data/table/table.ts';
import { permutation, type Random } from '../../../shared/core/random.ts';

export interface SiloSplit {
  readonly silo: string;
  readonly testShare: number;
  /** Of the whole data set. */
  readonly random: Random;
}

/** Row indices with a label, shuffled by seed and silo alone, so that a silo's split does not depend on the others. */
export function splitRows(table: Table, label: string, { silo, testShare, random }: SiloSplit, notes: string[]) {
  const labelled = labelledRows(table, label);
  const without = table.rows.length - labelled.length;
  if (without > 0) notes.push(`left out ${without} of ${table.rows.length} rows of ${table.file}: no label`);
  const order = permutation(labelled.length, random.fork(`split/${silo}`)).map((i) => labelled[i]);
  const testSize = Math.floor(testShare * labelled.length);
  return { train: order.subarray(testSize), test: order.subarray(0, testSize) };
}
