import { FlError } from '../../../shared/core/errors.ts';
import type { OnnxRuntime } from '../../../shared/onnx/runtime/runtime.ts';
import { parseStrictJson } from '../../../shared/wire/strict-json.ts';
import { onnxParticipant } from '../onnx.ts';
import type { Evaluate, Train, TrainingPackage } from '../participation.ts';
import { encode, labelledRows } from './table/encode.ts';
import { type Encoding, parseEncoding } from './table/encoding.ts';
import type { Table } from './table/table.ts';

/** Rows of a table to train and to measure on. */
export interface Split {
  readonly train: ArrayLike<number>;
  readonly test: ArrayLike<number>;
}

/** The task's encoding, from its training package. @throws {FlError} encoding-missing, encoding-invalid */
export function encodingOf(files: TrainingPackage): Encoding {
  const bytes = files['encoding.json'];
  if (!bytes) {
    throw new FlError(
      'encoding-missing',
      'the task has no encoding.json: it does not say how to make examples of a table',
    );
  }
  let content: unknown;
  try {
    content = parseStrictJson(bytes);
  } catch (cause) {
    throw new FlError('encoding-invalid', 'encoding.json is no JSON', { cause });
  }
  return parseEncoding(content);
}

/**
 * The two callbacks of `participate` for a client that holds a table and nothing else: it is encoded as the task says, when the task says
 * it. Everything else as `onnxParticipant`.
 * @param split which rows to train and which to measure on; default: train on all that have a label
 * @throws {FlError} from the callbacks, what `encodingOf` and `encode` throw
 */
export function tableParticipant({
  table,
  split = (held, label) => ({ train: labelledRows(held, label), test: [] }),
  onEncoded,
  ...options
}: {
  readonly ort: OnnxRuntime;
  readonly table: Table;
  readonly split?: (table: Table, label: string) => Split;
  readonly onEncoded?: (sizes: { readonly train: number; readonly test: number }) => void;
} & Pick<Parameters<typeof onnxParticipant>[0], 'prepare' | 'noise' | 'proximalMu' | 'onProgress'>): {
  readonly train: Train;
  readonly evaluate: Evaluate;
} {
  let made: { readonly text: string; readonly participant: ReturnType<typeof onnxParticipant> } | undefined;
  const participantFor = (files: TrainingPackage) => {
    const encoding = encodingOf(files);
    const text = JSON.stringify(encoding);
    if (made?.text !== text) {
      const { train, test } = split(table, encoding.pipeline.label);
      const [samples, own] = [train, test].map((rows) => encode(table, encoding, { rows, donors: train }));
      made = { text, participant: onnxParticipant({ ...options, samples, test: own }) };
      onEncoded?.({ train: samples.n, test: own.n });
    }
    return made.participant;
  };
  return {
    train: (input) => participantFor(input.package).train(input),
    evaluate: async (input) => (await participantFor(input.package).evaluate?.(input)) ?? {},
  };
}
