import { Readable } from 'node:stream';
import { DeleteObjectsCommand, GetObjectCommand, HeadObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { FlError } from '../../shared/core/errors.ts';
import type { ByteRange, ObjectInfo, ObjectReader } from '../../shared/ports/object-stores.ts';
import type { Clock } from '../../shared/ports/workflow.ts';
import type { PresignedPut } from '../../shared/wire/api.ts';
import { hasStatus } from './aws-error.ts';
import { GetBody } from './get-body.ts';
import { presignPut } from './presign-put.ts';

/** Objects that one DeleteObjects call takes. */
const deleteBatch = 1_000;

/** What both buckets' stores have in common: reading, and letting others write once. */
export class S3ObjectStore implements ObjectReader {
  protected readonly client: S3Client;
  protected readonly bucket: string;
  readonly #clock: Clock;

  /** @param client made with `requestChecksumCalculation: 'WHEN_REQUIRED'`, because it presigns */
  constructor(client: S3Client, bucket: string, clock: Clock) {
    this.client = client;
    this.bucket = bucket;
    this.#clock = clock;
  }

  presignPut(key: string, bytes: number, sha256: string, expiresAtMs: number): Promise<PresignedPut> {
    return presignPut(this.client, this.bucket, key, { bytes, sha256, expiresAtMs, nowMs: this.#clock.now() });
  }

  async stream(key: string, range?: ByteRange, etag?: string): Promise<AsyncIterable<Uint8Array>> {
    try {
      const { Body } = await this.client.send(
        new GetObjectCommand({
          Bucket: this.bucket,
          Key: key,
          IfMatch: etag,
          Range: range && `bytes=${range.start}-${range.end - 1}`,
        }),
      );
      if (!(Body instanceof Readable)) throw new FlError('object-missing', `${key} has no body`);
      return Body instanceof GetBody ? Body.chunks : Body;
    } catch (cause) {
      if (hasStatus(cause, 404)) throw new FlError('object-missing', `${key} does not exist`, { cause });
      if (hasStatus(cause, 412)) throw new FlError('object-changed', `${key} is not ${etag} any more`, { cause });
      throw cause;
    }
  }

  async remove(keys: readonly string[]): Promise<void> {
    for (let start = 0; start < keys.length; start += deleteBatch) {
      const batch = keys.slice(start, start + deleteBatch);
      const { Errors } = await this.client.send(
        new DeleteObjectsCommand({
          Bucket: this.bucket,
          Delete: { Quiet: true, Objects: batch.map((key) => ({ Key: key })) },
        }),
      );
      const [first] = Errors ?? [];
      if (first) throw new Error(`S3 did not delete ${Errors?.length} objects: ${first.Code} ${first.Message}`);
    }
  }

  async head(key: string): Promise<ObjectInfo | undefined> {
    try {
      const { ContentLength, ETag } = await this.client.send(new HeadObjectCommand({ Bucket: this.bucket, Key: key }));
      return { bytes: ContentLength ?? 0, etag: ETag ?? '' };
    } catch (error) {
      if (hasStatus(error, 404)) return undefined;
      throw error;
    }
  }
}
