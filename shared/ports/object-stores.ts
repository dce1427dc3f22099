import type { PresignedPut } from '../wire/api.ts';

export interface ObjectInfo {
  readonly bytes: number;
  readonly etag: string;
}

/** A byte range `[start, end)`. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** What both object stores can do. Reading what is not there, or not the bytes that `etag` names, is `object-missing` or `object-changed`. */
export interface ObjectReader {
  /** The bytes as they arrive; a chunk is good until the next is asked for. @param etag refuse any other content */
  stream(key: string, range?: ByteRange, etag?: string): Promise<AsyncIterable<Uint8Array>>;
  head(key: string): Promise<ObjectInfo | undefined>;
}

/** Training packages, manifests, models and optimizer state. A key is written once. */
export interface ModelStore extends ObjectReader {
  presignGet(key: string, lifetimeMs: number): Promise<string>;
  presignPut(key: string, bytes: number, sha256: string, expiresAtMs: number): Promise<PresignedPut>;
  /** Writes unless the key exists: of racing writers exactly one creates. */
  createOnce(key: string, bytes: Uint8Array): Promise<'created' | 'exists'>;
  startParts(key: string): Promise<string>;
  putPart(key: string, uploadId: string, partNumber: number, bytes: Uint8Array): Promise<void>;
  /**
   * Joins parts 1 to `count` unless the key exists. Repeatable: `exists` when it was done before.
   * @throws {FlError} `parts-missing` unless exactly these parts have been put
   */
  completeParts(key: string, uploadId: string, count: number): Promise<'created' | 'exists'>;
  /** Repeatable: an upload that is gone is no error. */
  abortParts(key: string, uploadId: string): Promise<void>;
  /** Repeatable: a key that is gone is no error. */
  remove(keys: readonly string[]): Promise<void>;
}

/** Updates as clients upload them. */
export interface UpdateStore extends ObjectReader {
  presignPut(key: string, bytes: number, sha256: string, expiresAtMs: number): Promise<PresignedPut>;
  /** Repeatable: a key that is gone is no error. */
  remove(keys: readonly string[]): Promise<void>;
}
