import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { expect, onTestFinished, test } from 'vitest';
import type { QueueEvent } from '../../../local/cloud/s3/server.ts';
import { clientOf, eventually, startGateway } from './gateway.ts';

const Bucket = 'bbb';

test('kill -9 loses no object, no event and no part; what was not finished leaves nothing', {
  timeout: 30_000,
}, async () => {
  const dir = await mkdtemp(join(tmpdir(), 'tributary-s3-kill-'));
  onTestFinished(() => rm(dir, { recursive: true }));
  const { process: gateway, s3 } = await spawnGateway(dir);
  await s3.send(new PutObjectCommand({ Bucket, Key: 'done', Body: 'whole', Metadata: { a: 'b' } }));
  const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket, Key: 'model' }));
  const part = { Bucket, Key: 'model', UploadId, PartNumber: 1 };
  const { ETag } = await s3.send(new UploadPartCommand({ ...part, Body: 'part one' }));
  const cut = s3.send(new PutObjectCommand({ Bucket, Key: 'cut', Body: endless(), ContentLength: 1_000_000 }));
  const cutOff = expect(cut).rejects.toThrow();
  await eventually(async () => (await readdir(join(dir, 'bodies'))).length).toBe(3);
  gateway.kill('SIGKILL');
  await once(gateway, 'exit');
  await cutOff;

  const events: QueueEvent[] = [];
  const after = await startGateway({ dir, notify: async (event) => void events.push(event) });
  await eventually(() => events.map(({ message }) => JSON.parse(message).Records[0].s3.object.key)).toEqual(['done']);
  const done = await after.s3.send(new GetObjectCommand({ Bucket, Key: 'done' }));
  expect([await done.Body?.transformToString(), done.Metadata]).toEqual(['whole', { a: 'b' }]);
  await expect(after.s3.send(new HeadObjectCommand({ Bucket, Key: 'cut' }))).rejects.toMatchObject({
    name: 'NotFound',
  });
  expect(await readdir(join(dir, 'bodies'))).toHaveLength(2);
  const MultipartUpload = { Parts: [{ PartNumber: 1, ETag }] };
  await after.s3.send(new CompleteMultipartUploadCommand({ Bucket, Key: 'model', UploadId, MultipartUpload }));
  const model = await after.s3.send(new GetObjectCommand({ Bucket, Key: 'model' }));
  expect(await model.Body?.transformToString()).toBe('part one');
});

async function spawnGateway(dir: string): Promise<{ process: ChildProcess; s3: S3Client }> {
  const script = join(import.meta.dirname, 'gateway-process.ts');
  const child = spawn(process.execPath, [script, dir], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const [line] = await once(child.stdout, 'data');
  const s3 = clientOf(String(line).trim());
  onTestFinished(() => s3.destroy());
  return { process: child, s3 };
}

/** A body that starts and never ends. */
function endless(): Readable {
  const body = new Readable({ read: () => {} });
  body.push(Buffer.alloc(20_000));
  return body;
}
