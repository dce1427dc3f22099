import type { S3Client } from '@aws-sdk/client-s3';
import type { RoleCredentials } from '../lambda/variables.ts';
import { localAccount } from '../service.ts';

export interface ObjectReader {
  read(bucket: string, key: string, credentials: RoleCredentials): Promise<Uint8Array>;
  close(): void;
}

/** Reads objects with a role's own key, so that its grants are checked; the SDK is loaded at the first read. */
export function createObjectReader(endpoint: string): ObjectReader {
  const clients = new Map<string, S3Client>();
  return {
    async read(bucket, key, credentials) {
      const { GetObjectCommand, S3Client } = await import('@aws-sdk/client-s3');
      const client =
        clients.get(credentials.accessKeyId) ?? new S3Client({ endpoint, region: localAccount.region, credentials });
      clients.set(credentials.accessKeyId, client);
      const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
      if (!Body) throw new Error(`s3://${bucket}/${key} came without a body`);
      return Body.transformToByteArray();
    },
    close() {
      for (const client of clients.values()) client.destroy();
    },
  };
}
