import { randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, readdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { IncomingBody } from './body.ts';
import type { ByteRange } from './range.ts';
import type { Segment } from './stored.ts';

const chunkBytes = 1 << 20;

/**
 * The files that hold objects' bytes. A name is random and never comes from a key, a file is never changed after it is written,
 * and one that is being read is deleted only after the reader has finished.
 */
export class Bodies {
  readonly #dir: string;
  readonly #readers = new Map<string, number>();
  readonly #doomed = new Set<string>();

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
      await pipeline(body.chunks, createWriteStream(this.#path(file), { flags: 'wx', highWaterMark: chunkBytes }));
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
      const source = createReadStream(this.#path(file), { start, end, highWaterMark: chunkBytes });
      await pipeline(source, target, { end: false });
    }
    target.end();
  }

  #path(file: string): string {
    return join(this.#dir, file);
  }

  #unlink(file: string): void {
    // Nothing is lost if this fails: the next start sweeps unreferenced files.
    unlink(this.#path(file)).catch(() => {});
  }
}
