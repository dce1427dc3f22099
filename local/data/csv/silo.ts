import { basename } from 'node:path';
import type { Table } from '../../../client/typescript/data/table/table.ts';
import { FlError } from '../../../shared/core/errors.ts';
import { randomFrom } from '../../../shared/core/random.ts';
import { labelName, readTable, siloId } from './silos.ts';
import { splitRows } from './split-rows.ts';

/** One silo that stands alone: its file, and which of its rows are for what. The same split as in a folder of silos. */
export interface Silo {
  readonly id: string;
  readonly table: Table;
  readonly notes: readonly string[];
  /** The label column's name, from a name, a position, or nothing for the last. @throws {FlError} label-missing */
  label(wanted: string | undefined): string;
  /** Rows with a label: to train on, and to measure on. @throws {FlError} label-missing */
  split(label: string): { train: Uint32Array; test: Uint32Array };
}

/** @throws {FlError} data-missing, data-malformed */
export async function openSilo(
  path: string,
  options: { readonly header?: boolean; readonly testShare?: number; readonly seed: number | string },
  signal?: AbortSignal,
): Promise<Silo> {
  const notes: string[] = [];
  const table = await readTable(path, options.header, notes, signal);
  if (!table || table.rows.length === 0) throw new FlError('data-missing', `${path} has no rows`);
  const id = siloId(basename(path));
  return {
    id,
    table,
    notes,
    label: (wanted) => labelName([table], wanted, notes),
    split: (label) => {
      const { testShare = 0.2, seed } = options;
      return splitRows(table, label, { silo: id, testShare, random: randomFrom(`csv/${seed}`) }, notes);
    },
  };
}
