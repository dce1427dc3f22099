import { slice } from '../../../client/typescript/data/pick.ts';
import { onnxParticipant } from '../../../client/typescript/onnx.ts';
import type { Evaluate, Train } from '../../../client/typescript/participation.ts';
import type { Store } from '../../../client/typescript/store.ts';
import { randomFrom } from '../../../shared/core/random.ts';
import type { OnnxRuntime } from '../../../shared/onnx/runtime/runtime.ts';
import type { TrainOptions } from '../../../shared/onnx/trainer/onnx-trainer.ts';
import type { DataChoice } from '../messages.ts';
import { drawDigits } from './digits.ts';

const digits = { train: 2_000, test: 400 };

export interface Surroundings {
  readonly ort: OnnxRuntime;
  /** The client's name: demo digits are in its own hand. */
  readonly client: string;
  readonly store: Store;
  readonly onProgress: TrainOptions['onProgress'];
}

/** How to train on what the user chose. */
export async function participantOn(
  data: DataChoice,
  { ort, client, store, onProgress }: Surroundings,
): Promise<{ readonly train: Train; readonly evaluate: Evaluate | undefined }> {
  if (data.kind === 'file') {
    // Loaded late: the schemas of tables are more than all the rest.
    const { onTable } = await import('./own-table.ts');
    return onTable(data.file, store, { ort, onProgress });
  }
  const { train, test } = digits;
  const drawn = drawDigits(train + test, randomFrom(client));
  const samples = slice(drawn, 0, train);
  return onnxParticipant({ ort, samples, test: slice(drawn, train, train + test), onProgress });
}
