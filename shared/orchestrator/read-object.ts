import { FlError } from '../core/errors.ts';
import type { Layout } from '../core/params.ts';
import type { ByteRange, ObjectReader } from '../ports/object-stores.ts';
import { headerByteLength, parseHeader, type SafetensorsHeader } from '../wire/safetensors.ts';
import { parseStrictJson } from '../wire/strict-json.ts';
import { ByteReader } from './byte-reader.ts';

/** Reads a whole object or range into memory. @throws {FlError} `object-too-large` past `maxBytes` */
export async function readBytes(
  store: ObjectReader,
  key: string,
  { range, etag, maxBytes }: { range?: ByteRange; etag?: string; maxBytes: number },
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let total = 0;
  for await (const chunk of await store.stream(key, range, etag)) {
    total += chunk.length;
    if (total > maxBytes) throw new FlError('object-too-large', `${key} is over ${maxBytes} bytes`);
    chunks.push(new Uint8Array(chunk));
  }
  return concatenate(chunks, total);
}

/** Reads a whole object as JSON, unchecked. @throws {FlError} `object-malformed` if it is none */
export async function readJson(store: ObjectReader, key: string, maxBytes: number): Promise<unknown> {
  const bytes = await readBytes(store, key, { maxBytes });
  try {
    return parseStrictJson(bytes);
  } catch (cause) {
    throw new FlError('object-malformed', `${key} is not JSON with every name once`, { cause });
  }
}

/** A range of a flat float32 vector: elements `[start, end)` of the vector that begins at `dataOffset`. */
export function elementRange(dataOffset: number, start: number, end: number): ByteRange {
  return { start: dataOffset + 4 * start, end: dataOffset + 4 * end };
}

/** A safetensors file as it streams in: its header, and what follows it. */
export interface StreamedTensors {
  readonly header: SafetensorsHeader;
  readonly data: ByteReader;
}

/**
 * Opens a safetensors file of `fileBytes` bytes: reads its header, leaves the rest to the caller.
 * @param file.mostHeader bytes of a header that is worth reading; any that the file can hold by default
 * @throws {FlError} `safetensors-malformed`, `object-truncated`
 */
export async function openSafetensors(
  store: ObjectReader,
  key: string,
  { fileBytes, etag, mostHeader = fileBytes }: { fileBytes: number; etag?: string; mostHeader?: number },
): Promise<StreamedTensors> {
  const data = new ByteReader(await store.stream(key, undefined, etag), key);
  try {
    const prefix = new Uint8Array(Math.min(8, fileBytes));
    await data.fill(prefix);
    const headerEnd = headerByteLength(prefix);
    if (headerEnd > mostHeader) {
      throw new FlError('safetensors-malformed', `a header of ${headerEnd} bytes, expected at most ${mostHeader}`);
    }
    const start = new Uint8Array(headerEnd);
    start.set(prefix);
    await data.fill(start.subarray(prefix.length));
    return { header: parseHeader(start, fileBytes), data };
  } catch (error) {
    await data.close();
    throw error;
  }
}

/** The layout of a model file and where its data starts, from a range GET of its header. */
export async function readModelHeader(store: ObjectReader, key: string): Promise<SafetensorsHeader> {
  const info = await store.head(key);
  if (!info) throw new FlError('object-missing', `${key} does not exist`);
  const lengthRange = { start: 0, end: 8 };
  const headerEnd = headerByteLength(await readBytes(store, key, { range: lengthRange, maxBytes: 8 }));
  const range = { start: 0, end: Math.min(headerEnd, info.bytes) };
  return parseHeader(await readBytes(store, key, { range, maxBytes: headerEnd }), info.bytes);
}

/** Remembers the layouts of tasks: a task's layout never changes. */
export class LayoutCache {
  readonly #layouts = new Map<string, Layout>();
  readonly #store: ObjectReader;

  constructor(store: ObjectReader) {
    this.#store = store;
  }

  async of(task: string, initialModelKey: string): Promise<Layout> {
    const known = this.#layouts.get(task);
    if (known) return known;
    const { layout } = await readModelHeader(this.#store, initialModelKey);
    if (this.#layouts.size >= 100) this.#layouts.clear();
    this.#layouts.set(task, layout);
    return layout;
  }
}

function concatenate(chunks: readonly Uint8Array[], total: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(total);
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.length;
  }
  return bytes;
}
