import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  ListObjectsV2Command,
  S3Client,
  type S3ClientConfig,
} from '@aws-sdk/client-s3';
import { createS3 } from '../../local/cloud/s3/server.ts';
import type { Guard, LocalService } from '../../local/cloud/service.ts';

/** What the S3 contract runs against: our gateway, or whatever TRIBUTARY_S3_ENDPOINT names. */
export interface S3Endpoint {
  /** `moto` and other imitations accept what S3 refuses; tests of that strictness run on `own` and `aws` only. */
  readonly kind: 'own' | 'aws' | 'moto';
  readonly url: string | undefined;
  readonly bucket: string;
  /** A client with the SDK's defaults, but for `config`. */
  client(config?: S3ClientConfig): S3Client;
  close(): Promise<void>;
}

export const testKey = { accessKeyId: 'AKIATRIBUTARYTEST0', secretAccessKey: 'test-secret' };

/** Lets `testKey` do everything. */
export const openGuard: Guard = {
  secretOf: (accessKeyId) => (accessKeyId === testKey.accessKeyId ? testKey.secretAccessKey : undefined),
  authorize: () => {},
};

/**
 * TRIBUTARY_S3_KIND `aws` uses a real account (credentials from the SDK's own sources), `moto` TRIBUTARY_S3_ENDPOINT; both create
 * a bucket of their own and delete it. Without the variable the contract runs on our gateway.
 */
export async function openS3Endpoint(): Promise<S3Endpoint> {
  const kind = process.env.TRIBUTARY_S3_KIND ?? 'own';
  if (kind === 'own') return openOwn();
  if (kind !== 'aws' && kind !== 'moto')
    throw new RangeError(`TRIBUTARY_S3_KIND must be own, aws or moto, not ${kind}`);
  const url = process.env.TRIBUTARY_S3_ENDPOINT;
  if (kind === 'moto' && url === undefined) throw new RangeError('TRIBUTARY_S3_ENDPOINT must name the moto server');
  const bucket = `tributary-contract-${Date.now().toString(36)}-${process.pid}`;
  const credentials = kind === 'moto' ? { credentials: testKey } : {};
  const clients = clientsOf({ endpoint: url, forcePathStyle: url !== undefined, region: 'us-east-1', ...credentials });
  await clients.open({}).send(new CreateBucketCommand({ Bucket: bucket }));
  return {
    kind,
    url,
    bucket,
    client: clients.open,
    close: async () => {
      await emptyAndDelete(clients.open({}), bucket);
      clients.close();
    },
  };
}

async function openOwn(): Promise<S3Endpoint> {
  const dir = await mkdtemp(join(tmpdir(), 'tributary-s3-'));
  const bucket = 'contract';
  const service: LocalService = await createS3({
    dir,
    guard: openGuard,
    meter: { count: () => {} },
    buckets: [{ name: bucket }],
    log: () => {},
  });
  const clients = clientsOf({ endpoint: service.url, region: 'us-east-1', credentials: testKey });
  return {
    kind: 'own',
    url: service.url,
    bucket,
    client: clients.open,
    close: async () => {
      clients.close();
      await service.close();
      await rm(dir, { recursive: true });
    },
  };
}

function clientsOf(base: S3ClientConfig): { open(config?: S3ClientConfig): S3Client; close(): void } {
  const opened: S3Client[] = [];
  return {
    open: (config = {}) => {
      const client = new S3Client({ maxAttempts: 1, ...base, ...config });
      opened.push(client);
      return client;
    },
    close: () => {
      for (const client of opened) client.destroy();
    },
  };
}

async function emptyAndDelete(s3: S3Client, bucket: string): Promise<void> {
  for (;;) {
    const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: bucket }));
    if (Contents.length === 0) break;
    for (const { Key } of Contents) await s3.send(new DeleteObjectCommand({ Bucket: bucket, Key }));
  }
  await s3.send(new DeleteBucketCommand({ Bucket: bucket }));
}
