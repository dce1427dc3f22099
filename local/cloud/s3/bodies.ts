import { randomUUID } from 'node:crypto';
import { type FileHandle, mkdir, open, readdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import type { IncomingBody } from './body.ts';
import type { ByteRange } from './range.ts';
import type { Segment } from './stored.ts';

/** Bytes that one write takes; as many again gather meanwhile. */
const writeBytes = 1 << 20;
/** Bytes on their way from a file to a socket; a body has two such buffers. */
const sendBytes = 1 << 19;

/**
 * The files that hold objects' bytes. A name is random and never comes from a key, a file is never changed after it is written,
 * and one that is being read is deleted only after the reader has finished.
 */
export class Bodies {
  readonly #dir: string;
  readonly #readers = new Map<string, number>();
  readonly #doomed = new Set<string>();
  readonly #buffers: Buffer[][] = [];

  private constructor(dir: string) {
    this.#dir = dir;
  }

  /** Opens the folder and deletes what `isReferenced` does not know: uploads that a kill cut short. */
  static async open(dir: string, isReferenced: (file: string) => boolean): Promise<Bodies> {
    await mkdir(dir, { recursive: true });
    for (const file of await readdir(dir)) {
      if (!isReferenced(file)) await unlink(join(dir, file));
    }
    return new Bodies(dir);
  }

  /** Streams a body into a new file; on any failure the file is gone. */
  async receive(body: IncomingBody): Promise<Segment> {
    const file = randomUUID();
    try {
      const target = await open(this.#path(file), 'wx');
      try {
        await writeAll(body.chunks, target);
      } finally {
        await target.close();
      }
      return { file, sizeBytes: body.facts().sizeBytes };
    } catch (error) {
      await unlink(this.#path(file)).catch(() => {});
      throw error;
    }
  }

  /** Keeps the files readable until the returned function is called. */
  hold(segments: readonly Segment[]): () => void {
    for (const { file } of segments) this.#readers.set(file, (this.#readers.get(file) ?? 0) + 1);
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      for (const { file } of segments) {
        const left = (this.#readers.get(file) ?? 1) - 1;
        if (left > 0) {
          this.#readers.set(file, left);
          continue;
        }
        this.#readers.delete(file);
        if (this.#doomed.delete(file)) this.#unlink(file);
      }
    };
  }

  /** Deletes the files as soon as nobody reads them. */
  discard(segments: readonly Segment[]): void {
    for (const { file } of segments) {
      if (this.#readers.has(file)) this.#doomed.add(file);
      else this.#unlink(file);
    }
  }

  /** Writes the bytes of `range` and ends `target`. */
  async send(segments: readonly Segment[], range: ByteRange, target: Writable): Promise<void> {
    let offset = 0;
    for (const { file, sizeBytes } of segments) {
      const start = Math.max(range.start - offset, 0);
      const end = Math.min(range.end - offset, sizeBytes - 1);
      offset += sizeBytes;
      if (start > end) continue;
      await this.#sendFile(file, start, end + 1, target);
    }
    target.end();
  }

  /** Through the same two buffers: fresh memory for every chunk would cost more than to read and send it. */
  async #sendFile(file: string, start: number, end: number, target: Writable): Promise<void> {
    const buffers = this.#buffers.pop() ?? [0, 1].map(() => Buffer.allocUnsafeSlow(sendBytes));
    const source = await open(this.#path(file));
    const broken = new AbortController();
    const breakOff = () => broken.abort(new Error('the connection was closed'));
    target.once('close', breakOff);
    try {
      let sent = Promise.resolve();
      for (let position = start, turn = 0; position < end; turn ^= 1) {
        const { bytesRead } = await source.read(buffers[turn], 0, Math.min(sendBytes, end - position), position);
        if (bytesRead === 0) throw new Error(`s3: ${file} is shorter than its record says`);
        position += bytesRead;
        await sent;
        sent = written(target, buffers[turn].subarray(0, bytesRead), broken.signal);
        sent.catch(() => {});
      }
      await sent;
      this.#buffers.push(buffers);
    } finally {
      target.off('close', breakOff);
      await source.close();
    }
  }

  #path(file: string): string {
    return join(this.#dir, file);
  }

  #unlink(file: string): void {
    // Nothing is lost if this fails: the next start sweeps unreferenced files.
    unlink(this.#path(file)).catch(() => {});
  }
}

async function writeAll(chunks: AsyncIterable<Uint8Array>, target: FileHandle): Promise<void> {
  let batch: Uint8Array[] = [];
  let batchBytes = 0;
  let written = Promise.resolve();
  const write = async (taken: readonly Uint8Array[]) => {
    const { bytesWritten } = await target.writev(taken);
    const bytes = taken.reduce((sum, { length }) => sum + length, 0);
    if (bytesWritten !== bytes) throw new Error(`s3: ${bytesWritten} of ${bytes} bytes written; is the disk full?`);
    for (const chunk of taken) free(chunk);
  };
  for await (const chunk of chunks) {
    batch.push(chunk);
    batchBytes += chunk.length;
    if (batchBytes < writeBytes) continue;
    await written;
    written = write(batch);
    written.catch(() => {});
    [batch, batchBytes] = [[], 0];
  }
  await written;
  if (batch.length > 0) await write(batch);
}

/**
 * Gives a chunk's memory back at once, where the collector would let tens of megabytes gather and touch fresh pages for the
 * next. Small chunks are cut from memory that others share.
 */
function free({ buffer, byteLength }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) buffer.transfer(0);
}

/** Resolves once the bytes are out and their memory may be written over. A stream that is destroyed may not say so. */
async function written(target: Writable, bytes: Uint8Array, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  await new Promise<void>((resolve, reject) => {
    const stop = () => reject(signal.reason);
    signal.addEventListener('abort', stop, { once: true });
    target.write(bytes, (error) => {
      signal.removeEventListener('abort', stop);
      if (error) reject(error);
      else resolve();
    });
  });
}
