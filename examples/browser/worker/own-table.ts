import { labelledRows } from '../../../client/typescript/data/table/encode.ts';
import { parseTable, type Table } from '../../../client/typescript/data/table/table.ts';
import { tableParticipant } from '../../../client/typescript/data/table-participant.ts';
import type { Store } from '../../../client/typescript/store.ts';
import { FlError } from '../../../shared/core/errors.ts';
import type { OnnxRuntime } from '../../../shared/onnx/runtime/runtime.ts';
import type { TrainOptions } from '../../../shared/onnx/trainer/onnx-trainer.ts';

const key = 'data.csv';

/** Trains on four fifths of the rows that have a label, and measures on the others. @throws {FlError} `data-missing`, `data-malformed` */
export async function onTable(
  file: File | undefined,
  store: Store,
  options: { readonly ort: OnnxRuntime; readonly onProgress: TrainOptions['onProgress'] },
) {
  return tableParticipant({ ...options, table: await keptTable(file, store), split: everyFifth });
}

function everyFifth(table: Table, label: string) {
  const rows = labelledRows(table, label);
  return { train: rows.filter((_, i) => i % 5 !== 4), test: rows.filter((_, i) => i % 5 === 4) };
}

/** The given file's rows, or those of the file that was given before. */
async function keptTable(file: File | undefined, store: Store): Promise<Table> {
  if (file) await store.set(key, new Uint8Array(await file.arrayBuffer()));
  const bytes = await store.get(key);
  const table = bytes && parseTable(new TextDecoder().decode(bytes), file?.name ?? 'the file');
  if (!table) throw new FlError('data-missing', 'there is no file with rows');
  return table;
}
