import { crc32, deflateRawSync, inflateRawSync } from 'node:zlib';
import { FlError } from '../../shared/core/errors.ts';

const localMagic = 0x04034b50;
const centralMagic = 0x02014b50;
const endMagic = 0x06054b50;
const [localBytes, centralBytes, endBytes] = [30, 46, 22];
const deflated = 8;
/** Names are UTF-8. */
const flags = 0x0800;
/** 1980-01-01, where the format's calendar starts: the same files make the same archive. */
const date = 0x0021;
const mostBytes = 0xffff_ffff;

/** One file of an archive; its content is unpacked when it is asked for. */
export interface ZipEntry {
  /** Of the content. */
  readonly bytes: number;
  /** @throws {FlError} `zip-malformed` if it is not what the archive says */
  content(): Uint8Array;
}

/**
 * A ZIP archive of files, deflated: PKWARE APPNOTE 6.3.10 without ZIP64.
 * @throws {RangeError} past 4 GiB
 */
export function zipOf(files: ReadonlyMap<string, Uint8Array>): Uint8Array {
  const parts: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let offset = 0;
  for (const [name, content] of files) {
    const packed = deflateRawSync(content);
    const encoded = new TextEncoder().encode(name);
    const local = header(localBytes, localMagic);
    const entry = header(centralBytes, centralMagic);
    entry.setUint16(4, 20, true);
    for (const [view, at] of [[local, 4] as const, [entry, 6] as const]) {
      const numbers = [20, flags, deflated, 0, date];
      numbers.forEach((number, i) => {
        view.setUint16(at + 2 * i, number, true);
      });
      const sizes = [crc32(content), packed.length, content.length];
      sizes.forEach((size, i) => {
        view.setUint32(at + 10 + 4 * i, size, true);
      });
      view.setUint16(at + 22, encoded.length, true);
    }
    entry.setUint32(42, offset, true);
    parts.push(bytesOf(local), encoded, packed);
    directory.push(bytesOf(entry), encoded);
    offset += localBytes + encoded.length + packed.length;
    if (offset > mostBytes || content.length > mostBytes) throw new RangeError(`zip: ${name} ends past 4 GiB`);
  }
  const end = header(endBytes, endMagic);
  end.setUint16(8, files.size, true);
  end.setUint16(10, files.size, true);
  end.setUint32(
    12,
    directory.reduce((sum, { length }) => sum + length, 0),
    true,
  );
  end.setUint32(16, offset, true);
  return new Uint8Array(Buffer.concat([...parts, ...directory, bytesOf(end)]));
}

/**
 * The files of a ZIP archive by name, stored or deflated.
 * @throws {FlError} `zip-malformed` if it is none, is cut off, is encrypted, needs ZIP64, names a file twice or lets files overlap
 */
export function readZip(bytes: Uint8Array): ReadonlyMap<string, ZipEntry> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = endOf(view);
  const entries = new Map<string, ZipEntry>();
  const spans: [start: number, end: number][] = [];
  let at = view.getUint32(end + 16, true);
  for (let left = view.getUint16(end + 10, true); left > 0; left--) {
    if (at + centralBytes > end || view.getUint32(at, true) !== centralMagic)
      throw malformed('its directory is broken');
    const [method, crc] = [view.getUint16(at + 10, true), view.getUint32(at + 16, true)];
    const [packed, size] = [view.getUint32(at + 20, true), view.getUint32(at + 24, true)];
    const [nameLength, extra, comment] = [28, 30, 32].map((field) => view.getUint16(at + field, true));
    const local = view.getUint32(at + 42, true);
    if ((view.getUint16(at + 8, true) & 1) !== 0 || packed === mostBytes || local === mostBytes) {
      throw malformed('it is encrypted or needs ZIP64');
    }
    const name = new TextDecoder().decode(bytes.subarray(at + centralBytes, at + centralBytes + nameLength));
    if (entries.has(name)) throw malformed(`it has "${name}" twice`);
    spans.push([local, local + localBytes + nameLength + packed]);
    entries.set(name, {
      bytes: size,
      content: () => unpacked(bytes, view, { name, method, crc, packed, size, local }),
    });
    at += centralBytes + nameLength + extra + comment;
  }
  // Files that share bytes unpack to more than any archive of its size holds (Fifield, "A better zip bomb", 2019).
  spans.sort(([a], [b]) => a - b);
  if (spans.some(([start], i) => i > 0 && start < spans[i - 1][1])) throw malformed('its files overlap');
  return entries;
}

interface Placed {
  readonly name: string;
  readonly method: number;
  readonly crc: number;
  readonly packed: number;
  readonly size: number;
  readonly local: number;
}

function unpacked(bytes: Uint8Array, view: DataView, { name, method, crc, packed, size, local }: Placed): Uint8Array {
  const isHeader = local + localBytes <= bytes.length && view.getUint32(local, true) === localMagic;
  const start = isHeader
    ? local + localBytes + view.getUint16(local + 26, true) + view.getUint16(local + 28, true)
    : bytes.length;
  if (start + packed > bytes.length) throw malformed(`"${name}" is cut off`);
  const data = bytes.subarray(start, start + packed);
  let content: Uint8Array;
  if (method === 0) content = data.slice();
  else if (method === deflated) content = inflated(data, size, name);
  else throw malformed(`"${name}" is packed by method ${method}`);
  if (content.length !== size || crc32(content) !== crc) throw malformed(`"${name}" is not what its checksum says`);
  return content;
}

/** Never unpacks more than the directory says. */
function inflated(data: Uint8Array, size: number, name: string): Uint8Array {
  try {
    return new Uint8Array(inflateRawSync(data, { maxOutputLength: Math.max(1, size) }));
  } catch (cause) {
    throw malformed(`"${name}" cannot be unpacked`, cause);
  }
}

/** Where the end record begins: at the end, before a comment of up to 64 KiB. */
function endOf(view: DataView): number {
  const last = view.byteLength - endBytes;
  for (let at = last; at >= Math.max(0, last - 0xffff); at--) {
    if (view.getUint32(at, true) === endMagic && view.getUint16(at + 20, true) === last - at) return at;
  }
  throw malformed('it is no ZIP archive, or the beginning of one');
}

function header(bytes: number, magic: number): DataView {
  const view = new DataView(new ArrayBuffer(bytes));
  view.setUint32(0, magic, true);
  return view;
}

function bytesOf(view: DataView): Uint8Array {
  return new Uint8Array(view.buffer);
}

function malformed(what: string, cause?: unknown): FlError {
  return new FlError('zip-malformed', what, { cause });
}
