import { DeleteObjectsCommand, type S3Client } from '@aws-sdk/client-s3';
import type { UpdateStore } from '../../shared/ports/object-stores.ts';
import type { Clock } from '../../shared/ports/workflow.ts';
import type { PresignedPut } from '../../shared/wire/api.ts';
import { presignPut } from './presign-put.ts';
import { S3ObjectReader } from './s3-object-reader.ts';

/** Objects that one DeleteObjects call takes. */
const deleteBatch = 1_000;

/** Updates in S3, as clients upload them. */
export class S3UpdateStore extends S3ObjectReader implements UpdateStore {
  readonly #signer: S3Client;
  readonly #clock: Clock;

  constructor(client: S3Client, signer: S3Client, bucket: string, clock: Clock) {
    super(client, bucket);
    this.#signer = signer;
    this.#clock = clock;
  }

  presignPut(key: string, bytes: number, sha256: string, expiresAtMs: number): Promise<PresignedPut> {
    return presignPut(this.#signer, this.bucket, key, { bytes, sha256, expiresAtMs, nowMs: this.#clock.now() });
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
      if (first) throw new Error(`S3 did not delete ${Errors?.length} updates: ${first.Code} ${first.Message}`);
    }
  }
}
