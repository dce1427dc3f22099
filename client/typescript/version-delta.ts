import type { Codec } from '../../shared/core/codec/codec.ts';
import type { Compressors } from '../../shared/core/codec/compressor.ts';
import { UpdateCoder } from '../../shared/core/codec/update-coder.ts';
import { FlError } from '../../shared/core/errors.ts';
import { layoutOf } from '../../shared/core/params.ts';
import { shown } from '../../shared/core/shown.ts';
import { readMetadata } from '../../shared/wire/encoded-update.ts';
import { decodeUpdateFile } from '../../shared/wire/encoded-update-file.ts';
import { codecOf } from './update-codec.ts';

function codecIn(text = ''): Codec | undefined {
  try {
    return codecOf(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/**
 * Adds the differences to the next version, in files of consecutive parameters: the result is that version, bit for bit.
 * @param values `[P]` of the version before; read only
 * @throws {FlError} `update-malformed`, `delta-mismatch` if the files do not cover the model
 */
export async function applyDelta(
  values: Float32Array,
  files: readonly Uint8Array[],
  compressors: Compressors,
): Promise<Float32Array> {
  const next = values.slice();
  let position = 0;
  for (const file of files) {
    const { codec: named, parameters: size } = readMetadata(file);
    const codec = codecIn(named);
    const elements = Number(size);
    if (!codec || !Number.isSafeInteger(elements) || elements < 0 || position + elements > values.length) {
      throw new FlError('delta-mismatch', `a delta of ${shown(size)} parameters written with ${shown(named)}`);
    }
    const coder = new UpdateCoder(codec, layoutOf([{ name: 'tile', shape: [elements] }]));
    const difference = await decodeUpdateFile(file, coder, { compressors });
    for (let i = 0; i < elements; i++) next[position + i] += difference[i];
    position += elements;
  }
  if (position !== values.length) throw new FlError('delta-mismatch', `${position} of ${values.length} parameters`);
  return next;
}
