import { closeSync, openSync, readSync } from 'node:fs';
import { mkdir, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ByteRange, ModelStore, UpdateStore } from '../../shared/ports/object-stores.ts';

/** Bytes that one read asks a file for. */
const chunkBytes = 1 << 18;

/** Objects as files of a folder: the aggregator without any network. Does what aggregation asks of a store, and no more. */
export function fileStore(folder: string): ModelStore & UpdateStore {
  const pathOf = (key: string) => join(folder, key);
  const put = async (key: string, bytes: Uint8Array) => {
    await mkdir(dirname(pathOf(key)), { recursive: true });
    await writeFile(pathOf(key), bytes);
  };
  const never = () => Promise.reject(new Error('the file store of the benchmark does not do this'));
  return {
    stream: async (key, range) => read(pathOf(key), range),
    head: async (key) => ({ bytes: (await stat(pathOf(key))).size, etag: 'file' }),
    async createOnce(key, bytes) {
      await put(key, bytes);
      return 'created';
    },
    startParts: async () => 'parts',
    putPart: (key, uploadId, part, bytes) => put(`${key}.${uploadId}/${part}`, bytes),
    completeParts: never,
    abortParts: never,
    presignGet: never,
    presignPut: never,
    remove: never,
  };
}

/** On the thread of whoever reads, so that one worker is one core: with reads on other threads, a single one takes both. */
async function* read(path: string, range?: ByteRange): AsyncGenerator<Uint8Array> {
  const buffer = new Uint8Array(chunkBytes);
  const file = openSync(path, 'r');
  try {
    const { start, end } = range ?? { start: 0, end: Number.POSITIVE_INFINITY };
    for (let position = start; position < end; ) {
      const count = readSync(file, buffer, 0, Math.min(chunkBytes, end - position), position);
      if (count === 0) return;
      position += count;
      yield buffer.subarray(0, count);
    }
  } finally {
    closeSync(file);
  }
}
