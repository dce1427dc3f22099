import { tableParticipant } from '../../client/typescript/data/table-participant.ts';
import type { OnnxRuntime } from '../../shared/onnx/runtime/runtime.ts';
import { openSilo } from '../data/csv/silo.ts';
import type { ClientSource } from './client-data.ts';
import { UsageError } from './console.ts';

/**
 * One client from its own file alone: the task says how it is encoded, and `start` would split its rows alike.
 * @throws {UsageError} on options that do not go with a file
 * @throws {FlError} data-missing, data-malformed
 */
export async function ownFile(
  ort: OnnxRuntime,
  { dataFile = '', dataset, seed, dataDir, label, silo: named }: ClientSource & { readonly dataFile?: string },
  signal: AbortSignal,
  onEncoded: (train: number, test: number) => void,
) {
  if (dataset !== 'csv') throw new UsageError(`--data-file goes with --dataset csv, not ${dataset}`);
  if (dataDir ?? label ?? named)
    throw new UsageError('--data-file needs no --data-dir, --label or --silo: the task says');
  const silo = await openSilo(dataFile, { seed }, signal);
  return tableParticipant({
    ort,
    table: silo.table,
    split: (_, label) => silo.split(label),
    onEncoded: ({ train, test }) => onEncoded(train, test),
  });
}
