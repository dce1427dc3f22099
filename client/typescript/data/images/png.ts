import { convertIndexedToRgb, decode } from 'fast-png';
import { FlError } from '../../../../shared/core/errors.ts';
import { fromPixels, type Image } from './image.ts';

const most = 100_000_000;
// Chunk types, as numbers.
const header = 0x49484452;
const colourProfile = 0x69434350;

/** A PNG file of 8 or 16 bits, grey, colour or palette; transparency is left out. @throws {FlError} data-malformed */
export function parsePng(bytes: Uint8Array, name: string): Image {
  try {
    const png = decode(modest(bytes), { checkCrc: true });
    const { height, width, depth } = png;
    if (png.palette) {
      const stride = png.palette[0]?.length ?? 3;
      return fromPixels(convertIndexedToRgb(png), { height, width, stride, largest: 255 });
    }
    if (depth < 8) throw new RangeError(`${depth} bits a pixel, expected 8 or 16`);
    return fromPixels(png.data, { height, width, stride: png.channels, largest: 2 ** depth - 1 });
  } catch (cause) {
    throw new FlError('data-malformed', `${name}: ${cause instanceof Error ? cause.message : cause}`, { cause });
  }
}

/** Deflate makes at most so many bytes of one. */
const mostExpansion = 1_032;

/**
 * The file without its colour profile, which is not applied and could unpack to any size. Before anything is unpacked, as a few bytes can
 * promise a picture of gigabytes: the header comes first and once, so that it is the one that counts, and what the data cannot hold is
 * not made room for.
 */
function modest(bytes: Uint8Array): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 33 || view.getUint32(12) !== header) throw new RangeError('it does not start with a PNG header');
  const [width, height, depth] = [view.getUint32(16), view.getUint32(20), view.getUint8(24)];
  const lineBytes = Math.ceil((width * depth) / 8);
  if (width < 1 || height < 1 || width * height > most || height * lineBytes > mostExpansion * bytes.length) {
    throw new RangeError(`${width} x ${height} pixels in ${bytes.length} bytes`);
  }
  const kept = [bytes.subarray(0, 33)];
  for (let at = 33; at < bytes.length; ) {
    const end = at + 8 <= bytes.length ? at + 12 + view.getUint32(at) : bytes.length;
    const type = at + 8 <= bytes.length ? view.getUint32(at + 4) : 0;
    if (type === header) throw new RangeError('a second header');
    if (type !== colourProfile) kept.push(bytes.subarray(at, end));
    at = end;
  }
  const whole = new Uint8Array(kept.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of kept) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
