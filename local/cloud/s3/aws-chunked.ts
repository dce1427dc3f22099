import { S3Error } from './errors.ts';

const maxLineBytes = 8192;
/** S3 refuses a smaller chunk unless it is the last. */
const minChunkBytes = 8192;

/**
 * Decodes `Content-Encoding: aws-chunked` as it streams and fills `trailers` (lowercase names) at its end.
 * S3 API reference, "Signature calculations for the Authorization header: transferring payload in multiple chunks".
 * @throws {S3Error} IncompleteBody, InvalidChunkSizeError or MalformedTrailerError
 */
export async function* decodeAwsChunked(
  source: AsyncIterable<Uint8Array>,
  trailers: Map<string, string>,
): AsyncGenerator<Uint8Array> {
  let line = '';
  let state: 'size' | 'data' | 'data-end' | 'trailers' | 'done' = 'size';
  let left = 0;
  let lastSize: number | undefined;
  for await (const chunk of source) {
    let at = 0;
    while (at < chunk.length) {
      if (state === 'done') throw new S3Error('IncompleteBody', 'aws-chunked: bytes after the end of the body');
      if (state === 'data') {
        const end = Math.min(chunk.length, at + left);
        yield chunk.subarray(at, end);
        left -= end - at;
        at = end;
        if (left === 0) state = 'data-end';
        continue;
      }
      const newline = chunk.indexOf(0x0a, at);
      const end = newline < 0 ? chunk.length : newline + 1;
      if (line.length + end - at > maxLineBytes) throw new S3Error('IncompleteBody', 'aws-chunked: a line is too long');
      line += Buffer.from(chunk.subarray(at, end)).toString('latin1');
      at = end;
      if (newline < 0) continue;
      if (!line.endsWith('\r\n')) throw new S3Error('IncompleteBody', 'aws-chunked: a line does not end in CR LF');
      const text = line.slice(0, -2);
      line = '';
      if (state === 'size') {
        left = chunkSize(text);
        if (left > 0 && lastSize !== undefined && lastSize < minChunkBytes) throw chunkTooSmall(lastSize);
        lastSize = left;
        state = left > 0 ? 'data' : 'trailers';
      } else if (state === 'data-end') {
        if (text !== '') throw new S3Error('IncompleteBody', 'aws-chunked: a chunk is longer than its size');
        state = 'size';
      } else if (text === '') {
        state = 'done';
      } else {
        addTrailer(trailers, text);
      }
    }
  }
  if (state !== 'done') throw new S3Error('IncompleteBody', 'aws-chunked: the body ends before its last chunk');
}

function chunkSize(text: string): number {
  const digits = /^([0-9a-fA-F]{1,10})(;|$)/.exec(text);
  if (!digits) throw new S3Error('IncompleteBody', `aws-chunked: "${text.slice(0, 64)}" is not a chunk size`);
  return Number.parseInt(digits[1], 16);
}

function chunkTooSmall(size: number): S3Error {
  return new S3Error(
    'InvalidChunkSizeError',
    `Only the last chunk is allowed to have a size less than ${minChunkBytes} bytes, not ${size}`,
  );
}

function addTrailer(trailers: Map<string, string>, text: string): void {
  const colon = text.indexOf(':');
  if (colon < 1 || trailers.size >= 16) throw new S3Error('MalformedTrailerError', 'The trailer is not well-formed');
  trailers.set(text.slice(0, colon).toLowerCase(), text.slice(colon + 1).trim());
}
