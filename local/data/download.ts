import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { FlError } from '../../shared/core/errors.ts';
import { discard, TransferError, transfer } from './download-transfer.ts';
import type { LoadContext } from './federation.ts';

/** A file with pinned content. */
export interface RemoteFile {
  /** File name in the cache, without folders. */
  readonly name: string;
  /** Mirrors, tried in order. */
  readonly urls: readonly string[];
  /** SHA-256 of the file as served, lower-case hex. */
  readonly sha256: string;
  readonly bytes: number;
}

export interface DownloadRequest extends LoadContext {
  readonly files: readonly RemoteFile[];
  readonly cacheDir: string;
  /** Tries per mirror for a passing fault. Default 3. */
  readonly tries?: number;
  /** Wait before the second try, doubled for each further one. Default 500. */
  readonly backoffMs?: number;
  /** A connection that is silent for so long has failed. Default 30,000. */
  readonly idleTimeoutMs?: number;
}

/**
 * Brings every file into `cacheDir`, verified: what is there and right stays, what was cut off goes on where it
 * stopped, and a file takes its name only when its SHA-256 fits. Proxies in the environment are not used.
 * @throws {FlError} data-offline if no mirror delivers; data-corrupt if mirrors deliver other bytes (kept nowhere)
 */
export async function downloadFiles(request: DownloadRequest): Promise<void> {
  await mkdir(request.cacheDir, { recursive: true });
  for (const file of request.files) {
    if (file.name === '' || file.name !== basename(file.name) || file.name.startsWith('.')) {
      throw new FlError('option-invalid', `"${file.name}" is not a plain file name`);
    }
    const target = join(request.cacheDir, file.name);
    const present = await sha256Of(target);
    if (present !== file.sha256) await fetchFile(file, target, request);
  }
}

async function fetchFile(file: RemoteFile, target: string, request: DownloadRequest): Promise<void> {
  const faults: string[] = [];
  let corrupt = false;
  for (const url of file.urls) {
    try {
      await fetchFrom(url, file, target, request);
      return;
    } catch (error) {
      request.signal?.throwIfAborted();
      if (!(error instanceof TransferError)) throw error;
      corrupt ||= error.kind === 'corrupt';
      faults.push(`${new URL(url).host}: ${error.message}`);
    }
  }
  const wayOut = `Put the file into ${request.cacheDir}, or name a folder that holds the data with --data-dir.`;
  throw new FlError(
    corrupt ? 'data-corrupt' : 'data-offline',
    `could not download ${file.name} (${faults.join('; ')}). ${wayOut}`,
    { retry: corrupt ? 'never' : 'later' },
  );
}

async function fetchFrom(url: string, file: RemoteFile, target: string, request: DownloadRequest): Promise<void> {
  const { tries = 3, backoffMs = 500, idleTimeoutMs = 30_000, signal, onProgress } = request;
  const part = `${target}.part`;
  for (let attempt = 1; ; attempt++) {
    try {
      const { resumed } = await transfer({
        url,
        part,
        bytes: file.bytes,
        idleTimeoutMs,
        signal,
        onBytes: (done) => onProgress?.({ step: 'download', message: file.name, done, total: file.bytes }),
      });
      const actual = await sha256Of(part);
      if (actual === file.sha256) {
        await rename(part, target);
        await rm(`${part}.from`, { force: true });
        return;
      }
      await discard(part);
      // Halves of two versions may have met: worth one more try from the first byte.
      throw new TransferError(resumed ? 'passing' : 'corrupt', `SHA-256 is ${actual}, expected ${file.sha256}`);
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof TransferError) || error.kind !== 'passing' || attempt >= tries) throw error;
      await sleep(backoffMs * 2 ** (attempt - 1), undefined, { signal });
    }
  }
}

/** SHA-256 of a file as hex, or undefined if there is none. */
async function sha256Of(path: string): Promise<string | undefined> {
  const hash = createHash('sha256');
  try {
    await pipeline(createReadStream(path), hash);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
  return hash.digest('hex');
}
