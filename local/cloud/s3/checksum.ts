import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';

export const checksumAlgorithms = ['crc32', 'crc32c', 'sha1', 'sha256'] as const;
export type ChecksumAlgorithm = (typeof checksumAlgorithms)[number];

/** A checksum as S3 writes it: base64, with `-N` after it if it is composed of N parts' checksums. */
export interface Checksum {
  readonly algorithm: ChecksumAlgorithm;
  readonly value: string;
}

/** Takes bytes in as they pass and gives their digest once. */
export interface Digest {
  update(chunk: Uint8Array): void;
  digest(): Buffer;
}

const sizes = { crc32: 4, crc32c: 4, sha1: 20, sha256: 32 } as const satisfies Record<ChecksumAlgorithm, number>;

const starters = {
  crc32: () => crcDigest(crc32),
  crc32c: () => crcDigest(crc32c),
  sha1: () => hashDigest('sha1'),
  sha256: () => hashDigest('sha256'),
} satisfies Record<ChecksumAlgorithm, () => Digest>;

export function startDigest(algorithm: ChecksumAlgorithm): Digest {
  return starters[algorithm]();
}

export function hashDigest(name: 'md5' | 'sha1' | 'sha256'): Digest {
  const hash = createHash(name);
  return { update: (chunk) => void hash.update(chunk), digest: () => hash.digest() };
}

/** True if `text` is base64 of as many bytes as the algorithm gives. */
export function isChecksumValue(algorithm: ChecksumAlgorithm, text: string): boolean {
  const bytes = Buffer.from(text, 'base64');
  return bytes.length === sizes[algorithm] && bytes.toString('base64') === text;
}

/** S3's COMPOSITE checksum: the checksum of the parts' checksums, then `-N`. Values are base64, in part order. */
export function compositeChecksum(algorithm: ChecksumAlgorithm, values: readonly string[]): Checksum {
  const digest = startDigest(algorithm);
  for (const value of values) digest.update(Buffer.from(value, 'base64'));
  return { algorithm, value: `${digest.digest().toString('base64')}-${values.length}` };
}

/** `sha256`, `SHA256` or `Sha256` to the algorithm, or undefined. */
export function parseChecksumAlgorithm(text: string): ChecksumAlgorithm | undefined {
  return checksumAlgorithms.find((name) => name === text.toLowerCase());
}

const castagnoli = Uint32Array.from({ length: 256 }, (_, byte) => {
  let remainder = byte;
  for (let bit = 0; bit < 8; bit++) remainder = remainder & 1 ? (remainder >>> 1) ^ 0x82f63b78 : remainder >>> 1;
  return remainder;
});

/** CRC-32C (Castagnoli), RFC 3720 appendix B.4, continued from `previous`. */
function crc32c(chunk: Uint8Array, previous: number): number {
  let crc = ~previous;
  for (let i = 0; i < chunk.length; i++) crc = castagnoli[(crc ^ chunk[i]) & 0xff] ^ (crc >>> 8);
  return ~crc >>> 0;
}

function crcDigest(next: (chunk: Uint8Array, previous: number) => number): Digest {
  let crc = 0;
  return {
    update: (chunk) => {
      crc = next(chunk, crc);
    },
    digest: () => {
      const bytes = Buffer.alloc(4);
      bytes.writeUInt32BE(crc);
      return bytes;
    },
  };
}
