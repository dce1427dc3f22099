import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { Guard, Meter } from '../service.ts';
import type { Bodies } from './bodies.ts';
import type { BucketSpec } from './bucket-spec.ts';
import type { Catalog } from './catalog.ts';
import type { Outbox } from './outbox.ts';
import type { ByteRange } from './range.ts';
import type { Segment } from './stored.ts';

/** What every operation works on. */
export interface Deps {
  readonly buckets: ReadonlyMap<string, BucketSpec>;
  readonly catalog: Catalog;
  readonly bodies: Bodies;
  readonly outbox: Outbox;
  readonly guard: Guard;
  readonly meter: Meter;
  readonly now: () => number;
}

/** One authenticated and authorized request. `key` is '' for operations on a bucket. */
export interface Call {
  readonly bucket: BucketSpec;
  readonly key: string;
  readonly query: ReadonlyMap<string, string>;
  readonly headers: IncomingHttpHeaders;
  readonly message: IncomingMessage;
  readonly response: ServerResponse;
  readonly accessKeyId: string;
  readonly requestId: string;
  /** Asks for a further permission. @throws {AccessDenied} */
  authorize(action: string, resource: string): void;
}

/** An answer; `stored` is streamed from the body files. */
export interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string | number>>;
  readonly body?: string;
  readonly stored?: { readonly segments: readonly Segment[]; readonly range: ByteRange; readonly release: () => void };
}

export function bucketArn(bucket: string): string {
  return `arn:aws:s3:::${bucket}`;
}

export function objectArn(bucket: string, key: string): string {
  return `arn:aws:s3:::${bucket}/${key}`;
}

/** One value of a header, or undefined. */
export function headerOf(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value.join(', ') : value;
}
