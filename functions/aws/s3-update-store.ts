import { DeleteObjectsCommand } from '@aws-sdk/client-s3';
import type { UpdateStore } from '../../shared/ports/object-stores.ts';
import { S3ObjectStore } from './s3-object-store.ts';

/** Objects that one DeleteObjects call takes. */
const deleteBatch = 1_000;

/** Updates in S3, as clients upload them. */
export class S3UpdateStore extends S3ObjectStore implements UpdateStore {
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
