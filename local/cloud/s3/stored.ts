import type { Checksum, ChecksumAlgorithm } from './checksum.ts';

/** A stretch of an object's bytes: one whole body file. */
export interface Segment {
  readonly file: string;
  readonly sizeBytes: number;
}

/** An object as it is on record; its bytes are its segments in order. */
export interface StoredObject {
  /** Without quotes. */
  readonly etag: string;
  readonly sizeBytes: number;
  readonly modifiedMs: number;
  readonly segments: readonly Segment[];
  /** Answered as they are on GET: content-type, x-amz-meta-*, ... */
  readonly headers: Readonly<Record<string, string>>;
  readonly checksum?: Checksum;
}

/** A multipart upload that is neither complete nor aborted. */
export interface StoredUpload {
  readonly id: string;
  readonly bucket: string;
  readonly key: string;
  readonly startedMs: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly checksumAlgorithm?: ChecksumAlgorithm;
}

export interface StoredPart {
  readonly number: number;
  readonly etag: string;
  readonly modifiedMs: number;
  readonly segment: Segment;
  readonly checksum?: Checksum;
}
