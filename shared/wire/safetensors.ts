import { FlError } from '../core/errors.ts';
import { type Layout, layoutOf, sameLayout } from '../core/params.ts';
import { shown } from '../core/shown.ts';
import { parseStrictJson } from './strict-json.ts';

/**
 * safetensors, the float32 subset that Tributary writes: 8 bytes of header length (little-endian), a JSON header, then
 * the tensors in layout order without gaps, so that the data is one flat vector at a known offset.
 * Format: https://github.com/huggingface/safetensors#format
 */
export interface SafetensorsHeader {
  readonly layout: Layout;
  readonly metadata: Readonly<Record<string, string>>;
  /** Where the flat vector starts in the file, in bytes; a multiple of 8. */
  readonly dataOffset: number;
}

/** Headers longer than this are refused unread. */
export const maxHeaderBytes = 16 * 1024 * 1024;
const lengthBytes = 8;

interface TensorEntry {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data_offsets: readonly [number, number];
}

/** The JSON header of a file, padded with spaces to a multiple of 8 bytes. */
export function headerJson(layout: Layout, metadata: Readonly<Record<string, string>> = {}): string {
  const header: Record<string, unknown> = {};
  const keys = Object.keys(metadata).sort();
  if (keys.length > 0) header.__metadata__ = Object.fromEntries(keys.map((key) => [key, metadata[key]]));
  for (const { name, shape, offset, size } of layout.tensors) {
    header[name] = { dtype: 'F32', shape, data_offsets: [offset * 4, (offset + size) * 4] };
  }
  const json = JSON.stringify(header);
  const length = new TextEncoder().encode(json).length;
  return json + ' '.repeat(Math.ceil(length / 8) * 8 - length);
}

/** Everything that comes before the data: the header's length, then the header. */
export function headerBytes(json: string): Uint8Array {
  const header = new TextEncoder().encode(json);
  const bytes = new Uint8Array(lengthBytes + header.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(header.length), true);
  bytes.set(header, lengthBytes);
  return bytes;
}

/** A whole file. `values` has shape `[layout.size]` and is copied. */
export function encodeSafetensors(file: {
  readonly layout: Layout;
  readonly values: Float32Array;
  readonly metadata?: Readonly<Record<string, string>>;
}): Uint8Array {
  if (file.values.length !== file.layout.size) {
    throw new RangeError(`safetensors: ${file.values.length} values for a layout of ${file.layout.size}`);
  }
  const { bytes, values } = blankSafetensors(file);
  values.set(file.values);
  return bytes;
}

/** A whole file of zeros, and a view of its values, `[layout.size]`, to write them where they stay. */
export function blankSafetensors(file: {
  readonly layout: Layout;
  readonly metadata?: Readonly<Record<string, string>>;
}): { readonly bytes: Uint8Array; readonly values: Float32Array } {
  const header = headerBytes(headerJson(file.layout, file.metadata));
  const bytes = new Uint8Array(header.length + file.layout.size * Float32Array.BYTES_PER_ELEMENT);
  bytes.set(header);
  // The header's length is a multiple of 8.
  return { bytes, values: new Float32Array(bytes.buffer, header.length) };
}

/**
 * How many bytes of the file its header takes, from its first 8 bytes.
 * @throws {FlError} `safetensors-malformed` if the length cannot be true
 */
export function headerByteLength(start: Uint8Array): number {
  if (start.length < lengthBytes) throw malformed(`${start.length} bytes, expected at least ${lengthBytes}`);
  const length = new DataView(start.buffer, start.byteOffset, start.byteLength).getBigUint64(0, true);
  if (length < 2n || length > BigInt(maxHeaderBytes)) {
    throw malformed(`a header of ${length} bytes, expected 2 to ${maxHeaderBytes}`);
  }
  return lengthBytes + Number(length);
}

/**
 * Reads a header. Only float32 tensors that follow each other in layout order without gaps are accepted.
 * @param start the file's first bytes, at least the whole header
 * @param fileBytes the file's size: what the header declares must fill it exactly
 * @throws {FlError} `safetensors-malformed` naming what was found
 */
export function parseHeader(start: Uint8Array, fileBytes: number): SafetensorsHeader {
  const dataOffset = headerByteLength(start);
  if (start.length < dataOffset) throw malformed(`truncated: ${start.length} bytes of a header of ${dataOffset}`);
  const { entries, metadata } = readHeaderJson(start.subarray(lengthBytes, dataOffset));
  const layout = readLayout(entries);
  const dataBytes = layout.size * 4;
  if (fileBytes !== dataOffset + dataBytes) {
    throw malformed(`${fileBytes} bytes, but header and tensors make ${dataOffset + dataBytes}`);
  }
  return { layout, metadata, dataOffset };
}

/**
 * A whole file. `values` is a view into `bytes` where its alignment allows, else a copy.
 * @throws {FlError} `safetensors-malformed`
 */
export function parseSafetensors(bytes: Uint8Array): SafetensorsHeader & { readonly values: Float32Array } {
  const header = parseHeader(bytes, bytes.length);
  const start = bytes.byteOffset + header.dataOffset;
  const values =
    start % 4 === 0
      ? new Float32Array(bytes.buffer, start, header.layout.size)
      : // A Buffer's own slice is a view into a pool.
        new Float32Array(new Uint8Array(bytes.subarray(header.dataOffset)).buffer);
  return { ...header, values };
}

function readHeaderJson(json: Uint8Array): { entries: [string, TensorEntry][]; metadata: Record<string, string> } {
  let header: unknown;
  try {
    header = parseStrictJson(json);
  } catch (cause) {
    throw malformed(`the header is not UTF-8 JSON with every name once: ${reasonOf(cause)}`, cause);
  }
  if (!isRecord(header)) throw malformed('the header is not a JSON object');
  const entries: [string, TensorEntry][] = [];
  let metadata: Record<string, string> = {};
  for (const [name, entry] of Object.entries(header)) {
    if (name === '__metadata__') metadata = readMetadata(entry);
    else entries.push([name, readEntry(name, entry)]);
  }
  return { entries, metadata };
}

function readMetadata(entry: unknown): Record<string, string> {
  if (!isRecord(entry)) throw malformed('__metadata__ is not an object');
  const metadata: Record<string, string> = {};
  for (const [key, value] of Object.entries(entry)) {
    if (typeof value !== 'string') throw malformed(`__metadata__ ${shown(key)} is not a string`);
    metadata[key] = value;
  }
  return metadata;
}

function readEntry(name: string, entry: unknown): TensorEntry {
  const tensor = `tensor ${shown(name)}`;
  if (!name.isWellFormed()) throw malformed(`${tensor} is no Unicode text`);
  if (!isRecord(entry)) throw malformed(`${tensor} is not an object`);
  const { dtype, shape, data_offsets: offsets } = entry;
  if (dtype !== 'F32') throw malformed(`${tensor} has dtype ${shown(dtype)}, expected F32`);
  if (!isIntegers(shape) || shape.length > 16) throw malformed(`${tensor} has shape ${shown(shape)}`);
  if (!isIntegers(offsets) || offsets.length !== 2) throw malformed(`${tensor} has data_offsets ${shown(offsets)}`);
  return { dtype, shape, data_offsets: [offsets[0], offsets[1]] };
}

function readLayout(entries: readonly [string, TensorEntry][]): Layout {
  let layout: Layout;
  try {
    layout = layoutOf(entries.map(([name, { shape }]) => ({ name, shape })));
  } catch (cause) {
    throw malformed(reasonOf(cause), cause);
  }
  const byName = new Map(entries);
  for (const { name, offset, size } of layout.tensors) {
    const [begin, end] = byName.get(name)?.data_offsets ?? [-1, -1];
    if (begin !== offset * 4 || end !== (offset + size) * 4) {
      throw malformed(
        `tensor ${shown(name)} lies at [${begin}, ${end}), expected [${offset * 4}, ${(offset + size) * 4})`,
      );
    }
  }
  return layout;
}

/** @throws {FlError} `layout-mismatch` naming the first tensor that differs */
export function requireLayout(found: Layout, expected: Layout): void {
  if (sameLayout(found, expected)) return;
  const describe = (layout: Layout, i: number) => {
    const tensor = layout.tensors[i];
    return tensor ? `${shown(tensor.name)} ${shown(tensor.shape)}` : 'no more tensors';
  };
  const count = Math.max(found.tensors.length, expected.tensors.length);
  let i = 0;
  while (i < count - 1 && describe(found, i) === describe(expected, i)) i++;
  throw new FlError('layout-mismatch', `tensor ${i} is ${describe(found, i)}, expected ${describe(expected, i)}`);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isIntegers(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((item) => Number.isSafeInteger(item) && item >= 0 && !Object.is(item, -0));
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message.slice(0, 200) : 'unreadable';
}

function malformed(found: string, cause?: unknown): FlError {
  return new FlError('safetensors-malformed', found, { cause });
}
