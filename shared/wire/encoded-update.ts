import { joinBytes } from '../core/codec/bytes.ts';
import { canonicalCodec } from '../core/codec/codec.ts';
import type { ByteSpan } from '../core/codec/frame-codec.ts';
import type { UpdateCoder } from '../core/codec/update-coder.ts';
import { FlError } from '../core/errors.ts';
import { shown } from '../core/shown.ts';
import type { Encoding } from './codec-config.ts';
import { headerByteLength, headerBytes } from './safetensors.ts';
import { parseStrictJson } from './strict-json.ts';

/**
 * The file of an update that is not plain float32: safetensors with up to three tensors, in this order and without gaps.
 * `index` U64 `[chunks + 1]`: where each frame starts in `frames`, and where the last ends; only where frames vary in length.
 * `shared` U8: what frames need besides themselves, e.g. factors. `frames` U8: one frame a chunk of parameters.
 * Metadata: `codec` (canonical JSON), `parameters` P, `chunkSize`, and what the sender adds.
 */
export interface EncodedUpdateHeader extends Sections {
  readonly metadata: Readonly<Record<string, string>>;
}

/** Where the tensors lie. Bytes of the file. */
export interface Sections {
  /** Undefined where all places follow from the codec. */
  readonly index?: ByteSpan;
  readonly shared: ByteSpan;
  readonly frames: ByteSpan;
}

/** What later reads of a file need to know, once its header has been checked. */
export type { Encoding } from './codec-config.ts';

/** @returns the header's part of what is kept with an admitted update */
export function encodingOf({ index, shared, frames }: Sections, { codec, chunkSize }: UpdateCoder): Encoding {
  return { codec, chunkSize, index, shared, frames };
}

/** A header holds three tensors at most: one range GET of this many bytes has all of it. */
export const mostHeaderBytes = 4096;

/**
 * A whole file.
 * @param frames one a chunk, after the lossless stage
 * @param metadata what describes the update besides its codec, e.g. task, baseVersion, examples
 */
export function writeEncodedUpdate(
  coder: UpdateCoder,
  { shared, frames }: { readonly shared: Uint8Array; readonly frames: readonly Uint8Array[] },
  metadata: Readonly<Record<string, string>>,
): Uint8Array<ArrayBuffer> {
  const index = coder.fixedSize ? undefined : indexBytes(frames);
  const tensors: Record<string, unknown> = {};
  let offset = 0;
  const place = (name: string, dtype: string, width: number, bytes: number) => {
    tensors[name] = { dtype, shape: [bytes / width], data_offsets: [offset, offset + bytes] };
    offset += bytes;
  };
  if (index) place('index', 'U64', 8, index.length);
  place('shared', 'U8', 1, shared.length);
  place(
    'frames',
    'U8',
    1,
    frames.reduce((total, { length }) => total + length, 0),
  );
  const entries = Object.entries({ ...metadata, ...codingOf(coder) }).sort(([a], [b]) => (a < b ? -1 : 1));
  const json = JSON.stringify({ __metadata__: Object.fromEntries(entries), ...tensors });
  const length = new TextEncoder().encode(json).length;
  const header = headerBytes(json + ' '.repeat(Math.ceil(length / 8) * 8 - length));
  if (header.length > mostHeaderBytes) throw new RangeError(`metadata makes a header of ${header.length} bytes`);
  return joinBytes([header, ...(index ? [index] : []), shared, ...frames]);
}

/**
 * Reads a header and checks that the file is one of this coder's.
 * @param start the file's first bytes, at least the whole header
 * @param fileBytes the file's size: what the header declares must fill it exactly
 * @throws {FlError} `update-malformed`, or `header-mismatch` if it is another codec's or model's
 */
export function parseEncodedUpdate(start: Uint8Array, fileBytes: number, coder: UpdateCoder): EncodedUpdateHeader {
  const dataOffset = headerByteLength(start);
  if (dataOffset > mostHeaderBytes)
    throw updateMalformed(`a header of ${dataOffset} bytes, expected ${mostHeaderBytes}`);
  if (start.length < dataOffset) throw updateMalformed(`truncated: ${start.length} bytes of a header of ${dataOffset}`);
  const { __metadata__: metadata, index, shared, frames, ...others } = readJson(start.subarray(8, dataOffset));
  const unknown = Object.keys(others);
  if (unknown.length > 0) throw updateMalformed(`a tensor ${shown(unknown[0])}`);
  const texts = metadataTexts(metadata);
  for (const [name, expected] of Object.entries(codingOf(coder))) {
    if (texts[name] !== expected) {
      throw new FlError('header-mismatch', `metadata ${name} is ${shown(texts[name])}, expected ${expected}`);
    }
  }

  let offset = 0;
  const next = (name: string, entry: unknown, dtype: string, width: number): ByteSpan => {
    const bytes = tensorBytes(name, entry, dtype, width, offset);
    offset += bytes;
    return { start: dataOffset + offset - bytes, end: dataOffset + offset };
  };
  if (coder.fixedSize && index !== undefined) throw updateMalformed('an index, but every frame has its place');
  const header = {
    metadata: texts,
    index: coder.fixedSize ? undefined : next('index', index, 'U64', 8),
    shared: next('shared', shared, 'U8', 1),
    frames: next('frames', frames, 'U8', 1),
  };
  if (fileBytes !== dataOffset + offset)
    throw updateMalformed(`${fileBytes} bytes, but header and tensors make ${dataOffset + offset}`);
  checkLengths(header, coder);
  return header;
}

/** What a file says of itself, before anything of it is believed. @throws {FlError} `update-malformed` */
export function readMetadata(file: Uint8Array): Readonly<Record<string, string>> {
  const dataOffset = headerByteLength(file);
  if (dataOffset > mostHeaderBytes || file.length < dataOffset)
    throw updateMalformed(`a header of ${dataOffset} bytes`);
  return metadataTexts(readJson(file.subarray(8, dataOffset)).__metadata__);
}

/** The metadata that says how to read the frames. */
function codingOf({ codec, layout, chunkSize }: UpdateCoder): Record<string, string> {
  return { codec: canonicalCodec(codec), parameters: String(layout.size), chunkSize: String(chunkSize) };
}

function indexBytes(frames: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(8 * (frames.length + 1));
  const view = new DataView(bytes.buffer);
  let offset = 0;
  frames.forEach(({ length }, chunk) => {
    offset += length;
    view.setBigUint64(8 * (chunk + 1), BigInt(offset), true);
  });
  return bytes;
}

function checkLengths({ index, shared, frames }: EncodedUpdateHeader, coder: UpdateCoder): void {
  const lengthOf = ({ start, end }: ByteSpan) => end - start;
  if (index && lengthOf(index) !== 8 * (coder.chunkCount + 1)) {
    throw updateMalformed(`an index of ${lengthOf(index)} bytes for ${coder.chunkCount} chunks`);
  }
  if (lengthOf(shared) !== coder.sharedBytes) {
    throw updateMalformed(`a shared section of ${lengthOf(shared)} bytes, expected ${coder.sharedBytes}`);
  }
  let most = 0;
  for (let chunk = 0; chunk < coder.chunkCount; chunk++) most += coder.mostStoredBytes(chunk);
  if (coder.fixedSize ? lengthOf(frames) !== most : lengthOf(frames) > most) {
    throw updateMalformed(
      `frames of ${lengthOf(frames)} bytes, expected ${coder.fixedSize ? most : `at most ${most}`}`,
    );
  }
}

function tensorBytes(name: string, entry: unknown, dtype: string, width: number, offset: number): number {
  if (!isRecord(entry)) throw updateMalformed(`no tensor "${name}"`);
  const { dtype: found, shape, data_offsets: offsets } = entry;
  if (found !== dtype) throw updateMalformed(`"${name}" has dtype ${shown(found)}, expected ${dtype}`);
  const count = Array.isArray(shape) && shape.length === 1 ? shape[0] : undefined;
  if (!Number.isSafeInteger(count) || count < 0) throw updateMalformed(`"${name}" has shape ${shown(shape)}`);
  const bytes = width * count;
  if (!Array.isArray(offsets) || offsets.length !== 2 || offsets[0] !== offset || offsets[1] !== offset + bytes) {
    throw updateMalformed(`"${name}" lies at ${shown(offsets)}, expected [${offset}, ${offset + bytes}]`);
  }
  return bytes;
}

function readJson(bytes: Uint8Array): Record<string, unknown> {
  let header: unknown;
  try {
    header = parseStrictJson(bytes);
  } catch (cause) {
    throw updateMalformed('the header is not UTF-8 JSON with every name once', cause);
  }
  if (!isRecord(header)) throw updateMalformed('the header is not a JSON object');
  return header;
}

function metadataTexts(entry: unknown): Record<string, string> {
  if (!isRecord(entry)) throw updateMalformed('no __metadata__');
  const texts: Record<string, string> = {};
  for (const [key, value] of Object.entries(entry)) {
    if (typeof value !== 'string') throw updateMalformed(`__metadata__ ${shown(key)} is not a string`);
    texts[key] = value;
  }
  return texts;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function updateMalformed(message: string, cause?: unknown): FlError {
  return new FlError('update-malformed', message, { cause });
}
