import { S3Error } from './errors.ts';

/** Bytes `start` to `end`, both included; `end` is `start - 1` for none. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

export function wholeRange(sizeBytes: number): ByteRange {
  return { start: 0, end: sizeBytes - 1 };
}

/**
 * The single range that a Range header asks of `sizeBytes` bytes (RFC 9110, section 14); undefined for a header that is not
 * a byte range, which S3 ignores.
 * @throws {S3Error} InvalidRange if no byte lies in it, NotImplemented for several ranges
 */
export function parseRange(header: string | undefined, sizeBytes: number): ByteRange | undefined {
  if (header === undefined) return undefined;
  if (/^bytes=.*,/.test(header)) throw new S3Error('NotImplemented', 'S3 does not serve several ranges at once');
  const parts = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header);
  if (!parts || (parts[1] === '' && parts[2] === '')) return undefined;
  const isSuffix = parts[1] === '';
  const start = isSuffix ? Math.max(sizeBytes - Number(parts[2]), 0) : Number(parts[1]);
  const last = isSuffix || parts[2] === '' ? sizeBytes - 1 : Number(parts[2]);
  if (!isSuffix && parts[2] !== '' && last < start) return undefined;
  if (start >= sizeBytes) {
    throw new S3Error('InvalidRange', 'The requested range is not satisfiable', {
      RangeRequested: header,
      ActualObjectSize: String(sizeBytes),
    });
  }
  return { start, end: Math.min(last, sizeBytes - 1) };
}
