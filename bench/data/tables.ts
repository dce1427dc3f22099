import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Table } from '../../client/typescript/data/table/table.ts';
import { permutation, randomFrom } from '../../shared/core/random.ts';

export const dataFolder = join(import.meta.dirname, '..', '..', '..', 'shared', 'data');

const pimaColumns = ['pregnancies', 'glucose', 'pressure', 'skin', 'insulin', 'bmi', 'pedigree', 'age', 'y'];
/** Zeros in these mean missing. */
export const pimaMissing = ['glucose', 'pressure', 'skin', 'insulin', 'bmi'].map((name) => ({ name, missing: ['0'] }));

export function pima(): Table {
  return tableOf('health/pima-indians-diabetes.csv', pimaColumns);
}

/** Nine marks from 1 to 10 of cells, and whether the tumour is malignant. */
export function wisconsin(): Table {
  return tableOf('health/breast-cancer-wisconsin.csv', [...Array.from({ length: 9 }, (_, i) => `mark ${i + 1}`), 'y']);
}

function tableOf(path: string, columns: readonly string[]): Table {
  const lines = readFileSync(join(dataFolder, path), 'utf8').trim().split(/\r?\n/);
  const rows = lines.map((line) => line.split(',').map((cell) => (cell === '?' ? '' : cell)));
  return { file: path, columns, named: true, rows, decimalComma: false };
}

/** The table with its rows in a random order, cut into silos of the given shares. */
export function dealt(table: Table, shares: readonly number[], seed: string): Table[] {
  const order = permutation(table.rows.length, randomFrom(seed));
  let at = 0;
  return shares.map((share) => {
    const end = Math.min(order.length, Math.round(at + share * order.length));
    const rows = Array.from(order.subarray(at, end), (row) => table.rows[row]);
    at = end;
    return { ...table, rows };
  });
}
