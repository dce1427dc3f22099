import { FlError } from '../core/errors.ts';

/**
 * Reads a stream in the pieces that its reader wants, not in those that the network gives: nothing is asked of the
 * stream before it is needed, so what lies in memory is one network chunk.
 */
export class ByteReader {
  readonly #iterator: AsyncIterator<Uint8Array>;
  readonly #name: string;
  #chunk: Uint8Array | undefined;
  /** Bytes of the chunk that have been read. */
  #read = 0;

  /** @param name for errors: the object's key */
  constructor(stream: AsyncIterable<Uint8Array>, name: string) {
    this.#iterator = stream[Symbol.asyncIterator]();
    this.#name = name;
  }

  /** Fills `into` with the next bytes. @throws {FlError} `object-truncated` if the stream ends before */
  async fill(into: Uint8Array): Promise<void> {
    let filled = 0;
    while (filled < into.length) {
      if (!this.#chunk || this.#read >= this.#chunk.length) {
        const next = await this.#iterator.next();
        if (next.done) throw new FlError('object-truncated', `${this.#name} ends ${into.length - filled} bytes early`);
        [this.#chunk, this.#read] = [next.value, 0];
      }
      const some = this.#chunk.subarray(this.#read, this.#read + into.length - filled);
      into.set(some, filled);
      filled += some.length;
      this.#read += some.length;
    }
  }

  /** Lets go of the connection, read to its end or not. */
  async close(): Promise<void> {
    await this.#iterator.return?.();
  }
}
