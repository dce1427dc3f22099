import { convertIndexedToRgb, decode } from 'fast-png';
import { FlError } from '../../../../shared/core/errors.ts';
import { fromPixels, type Image } from './image.ts';

const most = 100_000_000;

/** A PNG file of 8 or 16 bits, grey, colour or palette; transparency is left out. @throws {FlError} data-malformed */
export function parsePng(bytes: Uint8Array, name: string): Image {
  try {
    requireModest(bytes);
    const png = decode(bytes, { checkCrc: true });
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

/** Before anything is unpacked: a few bytes can promise a picture of gigabytes. The header's place is fixed. */
function requireModest(bytes: Uint8Array): void {
  if (bytes.length < 24) throw new RangeError('too short for a PNG file');
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const [width, height] = [view.getUint32(16), view.getUint32(20)];
  if (width * height > most) throw new RangeError(`${width} x ${height} pixels, at most ${most}`);
}
