import { Readable } from 'node:stream';
import type { GetConnection } from './get-connection.ts';

/** A body's bytes as they arrive, each chunk good until the next is asked for. Lets go of the connection at its end. */
export class BodyChunks implements AsyncIterableIterator<Uint8Array, undefined> {
  #connection: GetConnection | undefined;
  readonly #release: (connection: GetConnection) => void;

  constructor(connection: GetConnection, release: (connection: GetConnection) => void) {
    this.#connection = connection;
    this.#release = release;
  }

  async next(): Promise<IteratorResult<Uint8Array, undefined>> {
    const value = await this.#connection?.read();
    return value ? { value, done: false } : this.return();
  }

  /** Lets go of the connection, read to its end or not. */
  async return(): Promise<IteratorResult<Uint8Array, undefined>> {
    const connection = this.#connection;
    this.#connection = undefined;
    connection?.leave();
    if (connection) this.#release(connection);
    return { value: undefined, done: true };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}

/** A body as the SDK wants one: a stream, whose readers get copies. Ours take `chunks`. */
export class GetBody extends Readable {
  readonly chunks: BodyChunks;

  constructor(chunks: BodyChunks) {
    super();
    this.chunks = chunks;
  }

  override _read(): void {
    this.chunks.next().then(
      ({ value }) => this.push(value ? Buffer.from(value) : null),
      (error) => this.destroy(error),
    );
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.chunks.return().then(() => callback(error), callback);
  }
}
