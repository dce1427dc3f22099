import { FlError } from '../core/errors.ts';
import type { Layout } from '../core/params.ts';
import type { ByteRange, ObjectReader } from '../ports/object-stores.ts';
import { headerByteLength, parseHeader, type SafetensorsHeader } from '../wire/safetensors.ts';
import { parseStrictJson } from '../wire/strict-json.ts';

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
    chunks.push(chunk);
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

/** Cuts a byte stream into float32 values wherever its chunks end; throws `object-truncated` on a rest. */
export async function* float32Chunks(stream: AsyncIterable<Uint8Array>): AsyncGenerator<Float32Array> {
  let rest = new Uint8Array(0);
  for await (const chunk of stream) {
    const whole = rest.length + chunk.length - ((rest.length + chunk.length) % 4);
    const aligned = new Uint8Array(whole);
    const fromChunk = whole - rest.length;
    if (fromChunk < 0) {
      rest = concatenate([rest, chunk], rest.length + chunk.length);
      continue;
    }
    aligned.set(rest);
    aligned.set(chunk.subarray(0, fromChunk), rest.length);
    rest = chunk.slice(fromChunk);
    if (whole > 0) yield new Float32Array(aligned.buffer);
  }
  if (rest.length > 0) throw new FlError('object-truncated', `${rest.length} bytes left over after the last float32`);
}

/** A safetensors file as it streams in: its header, then its values. */
export interface StreamedTensors {
  readonly header: SafetensorsHeader;
  readonly values: AsyncIterable<Float32Array>;
}

/**
 * Opens a safetensors stream: reads up to the end of the header, leaves the rest to the caller.
 * @param mostHeader bytes of a header that is worth reading
 * @throws {FlError} `safetensors-malformed`
 */
export async function openSafetensors(
  stream: AsyncIterable<Uint8Array>,
  fileBytes: number,
  mostHeader = Number.POSITIVE_INFINITY,
): Promise<StreamedTensors> {
  const iterator = stream[Symbol.asyncIterator]();
  const readTo = async (start: Uint8Array<ArrayBuffer>, wanted: number) => {
    const chunks: Uint8Array[] = [start];
    let total = start.length;
    while (total < wanted) {
      const next = await iterator.next();
      if (next.done) break;
      chunks.push(next.value);
      total += next.value.length;
    }
    return concatenate(chunks, total);
  };
  const first = await readTo(new Uint8Array(0), 8);
  const wanted = headerByteLength(first);
  if (wanted > mostHeader) {
    await iterator.return?.();
    throw new FlError('safetensors-malformed', `a header of ${wanted} bytes, expected at most ${mostHeader}`);
  }
  const start = await readTo(first, wanted);
  const header = parseHeader(start, fileBytes);
  async function* data(): AsyncGenerator<Uint8Array> {
    yield start.subarray(header.dataOffset);
    for (let next = await iterator.next(); !next.done; next = await iterator.next()) yield next.value;
  }
  return { header, values: float32Chunks(data()) };
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
