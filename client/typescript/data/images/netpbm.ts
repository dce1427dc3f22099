import { FlError } from '../../../../shared/core/errors.ts';
import { fromPixels, type Image } from './image.ts';

const most = 100_000_000;

/** A PGM or PPM file, plain or raw (P2, P3, P5, P6; https://netpbm.sourceforge.net/doc/). @throws {FlError} data-malformed */
export function parseNetpbm(bytes: Uint8Array, name: string): Image {
  const malformed = (what: string) => new FlError('data-malformed', `${name}: ${what}`);
  const reader = new Reader(bytes);
  const magic = reader.word();
  if (!/^P[2356]$/.test(magic)) throw malformed(`starts with "${magic.slice(0, 8)}", expected P2, P3, P5 or P6`);
  const [width, height, largest] = [reader.word(), reader.word(), reader.word()].map((word) =>
    /^\d{1,9}$/.test(word) ? Number(word) : 0,
  );
  const stride = magic === 'P3' || magic === 'P6' ? 3 : 1;
  const count = width * height * stride;
  if (width < 1 || height < 1 || count > most) throw malformed(`${width} x ${height} pixels`);
  if (largest < 1 || largest > 65_535) throw malformed(`largest value ${largest}, expected 1 to 65535`);
  const isPlain = magic === 'P2' || magic === 'P3';
  const pixels = isPlain ? reader.plain(count) : reader.raw(count, largest > 255 ? 2 : 1);
  if (pixels === undefined) throw malformed(`truncated: ${count} values expected`);
  if (!pixels.every((value) => value >= 0 && value <= largest)) throw malformed(`a value is none from 0 to ${largest}`);
  return fromPixels(pixels, { height, width, stride, largest });
}

class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** The next word; a `#` starts a comment to the end of the line. Takes one white space after it. */
  word(): string {
    const isSpace = (byte: number) => byte === 32 || (byte >= 9 && byte <= 13);
    for (; this.#at < this.#bytes.length; this.#at++) {
      const byte = this.#bytes[this.#at];
      if (byte === 35) while (this.#at < this.#bytes.length && this.#bytes[this.#at] !== 10) this.#at++;
      else if (!isSpace(byte)) break;
    }
    let word = '';
    while (this.#at < this.#bytes.length && !isSpace(this.#bytes[this.#at]) && word.length < 16) {
      word += String.fromCharCode(this.#bytes[this.#at++]);
    }
    this.#at++;
    return word;
  }

  /** Decimal numbers, NaN for other words; undefined if too few bytes are left: each takes two, but the last. */
  plain(count: number): Float32Array | undefined {
    if (this.#bytes.length - this.#at < 2 * count - 1) return undefined;
    return Float32Array.from({ length: count }, () => {
      const word = this.word();
      return /^\d+$/.test(word) ? Number(word) : Number.NaN;
    });
  }

  /** Big-endian numbers; undefined if too few bytes are left. */
  raw(count: number, size: 1 | 2): Uint8Array | Uint16Array | undefined {
    if (this.#bytes.length - this.#at < count * size) return undefined;
    if (size === 1) return this.#bytes.subarray(this.#at, this.#at + count);
    const view = new DataView(this.#bytes.buffer, this.#bytes.byteOffset + this.#at);
    return Uint16Array.from({ length: count }, (_, i) => view.getUint16(2 * i));
  }
}
