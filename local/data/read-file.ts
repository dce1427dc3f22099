import { readFile, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { FlError } from '../../shared/core/errors.ts';

/** What gzip adds at most to bytes that it cannot shrink, names and comments included. */
const gzipOverheadBytes = 2 ** 20;
const inflate = promisify(gunzip);

/**
 * A file's bytes, unzipped where they are gzip (by content, not by name).
 * @param limitBytes the most bytes after unzipping
 * @throws {FlError} data-malformed if the file is larger or its gzip stream is damaged
 */
export async function readPlainOrGzip(path: string, limitBytes: number, signal?: AbortSignal): Promise<Uint8Array> {
  const found = await stat(path);
  // A link may lead to a device, which never ends.
  if (!found.isFile()) throw new FlError('data-malformed', `${basename(path)}: no file`);
  if (found.size > limitBytes + gzipOverheadBytes) throw tooLarge(path, limitBytes);
  const raw = await readFile(path, { signal });
  if (!(raw.length >= 2 && raw[0] === 0x1f && raw[1] === 0x8b)) {
    if (raw.length > limitBytes) throw tooLarge(path, limitBytes);
    return raw;
  }
  try {
    return await inflate(raw, { maxOutputLength: limitBytes });
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ERR_BUFFER_TOO_LARGE')
      throw tooLarge(path, limitBytes);
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new FlError('data-malformed', `${basename(path)}: damaged gzip file: ${why}`, { cause });
  }
}

function tooLarge(path: string, limitBytes: number): FlError {
  const mebibytes = Math.floor(limitBytes / 2 ** 20);
  return new FlError('data-malformed', `${basename(path)}: more than ${mebibytes} MiB unzipped`);
}
