import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { S3Client } from '@aws-sdk/client-s3';
import { expect, onTestFinished } from 'vitest';
import { createS3, type S3Options } from '../../../local/cloud/s3/server.ts';
import { AccessDenied, type Guard, type LocalService } from '../../../local/cloud/service.ts';
import { key } from './key.ts';

/** A gateway with a client for it; both end with the test. */
export interface TestGateway {
  readonly service: LocalService;
  readonly s3: S3Client;
  readonly dir: string;
  /** What it told its log. */
  readonly lines: readonly string[];
  /** What it metered. */
  readonly usage: ReadonlyMap<string, number>;
}

/** Lets `key` do what `allows` says. */
export function guardOf(allows: (action: string, resource: string) => boolean = () => true): Guard {
  return {
    secretOf: (id) => (id === key.accessKeyId ? key.secretAccessKey : undefined),
    authorize: (_, action, resource) => {
      if (!allows(action, resource)) throw new AccessDenied('role/test', action, resource, 'no policy allows it');
    },
  };
}

/** Bucket `bbb` without notifications, unless told otherwise. */
export async function startGateway(options: Partial<S3Options> = {}): Promise<TestGateway> {
  const dir = options.dir ?? (await mkdtemp(join(tmpdir(), 'tributary-s3-')));
  if (options.dir === undefined) onTestFinished(() => rm(dir, { recursive: true }));
  const lines: string[] = [];
  const usage = new Map<string, number>();
  const service = await createS3({
    guard: guardOf(),
    meter: { count: (kind, amount = 1) => void usage.set(kind, (usage.get(kind) ?? 0) + amount) },
    buckets: [{ name: 'bbb' }],
    log: (line) => void lines.push(line),
    ...options,
    dir,
  });
  const s3 = clientOf(service.url);
  onTestFinished(async () => {
    s3.destroy();
    await service.close();
  });
  return { service, s3, dir, lines, usage };
}

export function clientOf(url: string): S3Client {
  return new S3Client({ endpoint: url, region: 'us-east-1', credentials: key, maxAttempts: 1 });
}

/** `expect.poll` with the patience that a busy machine needs. */
export function eventually<T>(read: () => T) {
  return expect.poll(read, { timeout: 4500, interval: 20 });
}
