import type { Tile } from '../core/plan/tiles.ts';
import { headerBytes } from '../wire/safetensors.ts';
import type { Manifest } from '../wire/workflow.ts';

/** A tile's parts of files that are uploaded in parts: its values, after the file's header if the tile is the first. */
export class Parts {
  /** Size of a part. */
  readonly bytes: number;
  readonly #header: Uint8Array;
  readonly #length: number;
  readonly #made = new Map<Float32Array, Uint8Array>();

  constructor({ header }: Manifest, { index, start, end }: Tile) {
    this.#header = index > 0 ? new Uint8Array(0) : headerBytes(header);
    this.#length = end - start;
    this.bytes = this.#header.length + 4 * this.#length;
  }

  /** `[tile size]` values to be written, with room for the header before them. @param room `[bytes]` to make them in */
  make(room: Uint8Array<ArrayBuffer> = new Uint8Array(this.bytes)): Float32Array<ArrayBuffer> {
    const values = new Float32Array(room.buffer, room.byteOffset + this.#header.length, this.#length);
    this.#made.set(values, room);
    return values;
  }

  /** The part with these values, copied unless they were made here. */
  bytesOf(values: Float32Array): Uint8Array {
    const made = this.#made.get(values);
    if (!made && this.#header.length === 0) return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    const bytes = made ?? new Uint8Array(this.bytes);
    bytes.set(this.#header);
    if (!made) bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), this.#header.length);
    return bytes;
  }
}
