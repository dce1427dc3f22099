import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { expect, test } from 'vitest';
import type { QueueEvent } from '../../../local/cloud/s3/server.ts';
import { eventually, startGateway } from './gateway.ts';

const Bucket = 'bbb';
const queueArn = 'arn:aws:sqs:us-east-1:000000000000:arrivals';
const buckets = [
  { name: Bucket, notifications: [{ queueArn, events: ['s3:ObjectCreated:*'], prefix: 'in/', suffix: '.bin' }] },
];

test('a created object is told to the queue in the S3 event format, its key URL-encoded', async () => {
  const { events, notify } = recorder();
  const { s3 } = await startGateway({ buckets, notify });
  await s3.send(new PutObjectCommand({ Bucket, Key: 'in/a b+ü.bin', Body: 'hello' }));
  await eventually(() => events.length).toBe(1);
  expect(events[0].queueArn).toBe(queueArn);
  expect(JSON.parse(events[0].message)).toMatchObject({
    Records: [
      {
        eventVersion: '2.1',
        eventSource: 'aws:s3',
        awsRegion: 'us-east-1',
        eventName: 'ObjectCreated:Put',
        s3: {
          bucket: { name: Bucket, arn: 'arn:aws:s3:::bbb' },
          object: {
            key: 'in/a+b%2B%C3%BC.bin',
            size: 5,
            eTag: '5d41402abc4b2a76b9719d911017c592',
            sequencer: expect.stringMatching(/^[0-9A-F]{18}$/),
          },
        },
      },
    ],
  });
});

test('only keys with the prefix and suffix are told', async () => {
  const { events, notify } = recorder();
  const { s3 } = await startGateway({ buckets, notify });
  for (const Key of ['out/a.bin', 'in/a.txt', 'in/b.bin'])
    await s3.send(new PutObjectCommand({ Bucket, Key, Body: 'x' }));
  await eventually(() => events.length).toBe(1);
  expect(keysOf(events)).toEqual(['in/b.bin']);
});

test('a multipart upload is told once, when it is complete', async () => {
  const { events, notify } = recorder();
  const { s3 } = await startGateway({ buckets, notify });
  await multipart(s3, 'in/m.bin');
  await eventually(() => events.length).toBe(1);
  expect(JSON.parse(events[0].message)).toMatchObject({
    Records: [{ eventName: 'ObjectCreated:CompleteMultipartUpload', s3: { object: { key: 'in/m.bin', size: 4 } } }],
  });
});

test('a refused write is told to nobody', async () => {
  const { events, notify } = recorder();
  const { s3 } = await startGateway({ buckets, notify });
  await s3.send(new PutObjectCommand({ Bucket, Key: 'in/a.bin', Body: '1' }));
  const second = s3.send(new PutObjectCommand({ Bucket, Key: 'in/a.bin', Body: '2', IfNoneMatch: '*' }));
  await expect(second).rejects.toMatchObject({ name: 'PreconditionFailed' });
  await s3.send(new PutObjectCommand({ Bucket, Key: 'in/z.bin', Body: '3' }));
  await eventually(() => keysOf(events).toSorted()).toEqual(['in/a.bin', 'in/z.bin']);
});

test('an event is sent again until the queue takes it', async () => {
  let attempts = 0;
  const notify = async () => {
    attempts += 1;
    if (attempts < 3) throw new Error('the queue is away');
  };
  const { s3, lines } = await startGateway({ buckets, notify });
  await s3.send(new PutObjectCommand({ Bucket, Key: 'in/a.bin', Body: '1' }));
  await eventually(() => attempts).toBe(3);
  expect(lines.filter((line) => line.includes('the queue is away'))).toHaveLength(2);
});

test('more events than go out at once all arrive', async () => {
  const { events, notify } = recorder();
  const { s3 } = await startGateway({ buckets, notify });
  const names = Array.from({ length: 40 }, (_, i) => `in/${i}.bin`);
  await Promise.all(names.map((Key) => s3.send(new PutObjectCommand({ Bucket, Key, Body: 'x' }))));
  await eventually(() => keysOf(events).toSorted()).toEqual(names.toSorted());
});

test('events that were not taken before a close come after the next start', async () => {
  const first = await startGateway({ buckets, notify: async () => Promise.reject(new Error('never')) });
  await first.s3.send(new PutObjectCommand({ Bucket, Key: 'in/late.bin', Body: '1' }));
  await first.service.close();
  const { events, notify } = recorder();
  await startGateway({ buckets, notify, dir: first.dir });
  await eventually(() => keysOf(events)).toEqual(['in/late.bin']);
});

test('notifications without a way to send them are refused', async () => {
  await expect(startGateway({ buckets })).rejects.toThrow(/notify/);
});

function recorder(): { events: QueueEvent[]; notify: (event: QueueEvent) => Promise<void> } {
  const events: QueueEvent[] = [];
  return { events, notify: async (event) => void events.push(event) };
}

function keysOf(events: readonly QueueEvent[]): string[] {
  return events.map(({ message }) => JSON.parse(message).Records[0].s3.object.key);
}

async function multipart(s3: S3Client, Key: string): Promise<void> {
  const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket, Key }));
  const { ETag } = await s3.send(new UploadPartCommand({ Bucket, Key, UploadId, PartNumber: 1, Body: 'part' }));
  const MultipartUpload = { Parts: [{ PartNumber: 1, ETag }] };
  await s3.send(new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload }));
}
