import { FlError } from '../../../../shared/core/errors.ts';

/** An IDX file of unsigned bytes: `values` has `product(dimensions)` elements, a view of the file's bytes. */
export interface IdxBytes {
  readonly dimensions: readonly number[];
  readonly values: Uint8Array;
}

const unsignedByte = 0x08;

/**
 * Reads an IDX file of unsigned bytes with exactly `rank` dimensions. Nothing is allocated.
 * Format: http://yann.lecun.com/exdb/mnist/ (magic 0, 0, type, rank; big-endian uint32 dimensions; values).
 * @param name the file's name, for messages
 * @throws {FlError} data-malformed on another magic or rank, or where the size is not exactly what the header says
 */
export function parseIdx(bytes: Uint8Array, rank: number, name: string): IdxBytes {
  const malformed = (what: string) => new FlError('data-malformed', `${name}: ${what}`);
  const headerSize = 4 + 4 * rank;
  if (bytes.length < headerSize) {
    throw malformed(`${bytes.length} bytes, an IDX file of rank ${rank} starts with a header of ${headerSize}`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const magic = view.getUint32(0);
  const expected = (unsignedByte << 8) | rank;
  if (magic !== expected) {
    throw malformed(`starts with ${hex(magic)}, expected ${hex(expected)} (IDX, unsigned bytes, rank ${rank})`);
  }
  const dimensions = Array.from({ length: rank }, (_, axis) => view.getUint32(4 + 4 * axis));
  // Up to 2^96: compare as BigInt, so that absurd dimensions cannot wrap round to a plausible size.
  const promised = dimensions.reduce((product, dimension) => product * BigInt(dimension), 1n);
  const held = bytes.length - headerSize;
  if (promised !== BigInt(held)) {
    const fault = promised > BigInt(held) ? 'truncated' : 'has trailing bytes';
    throw malformed(`${fault}: the header promises [${dimensions}] = ${promised} bytes, the file holds ${held}`);
  }
  return { dimensions, values: bytes.subarray(headerSize) };
}

function hex(word: number): string {
  return `0x${word.toString(16).padStart(8, '0')}`;
}
