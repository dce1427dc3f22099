import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { type EventSourceOptions, startEventSource } from '../../../local/cloud/lambda/event-source.ts';
import type { InvocationResult } from '../../../local/cloud/lambda/invocation.ts';
import { createSqs } from '../../../local/cloud/sqs/service.ts';
import type { MappingPlan } from '../../../local/cloud/template/plan.ts';

const arn = 'arn:aws:sqs:us-east-1:000000000000:work';
const ends: (() => unknown)[] = [];
const unexpected: unknown[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
  expect(unexpected.splice(0)).toEqual([]);
});

type Record = { messageId: string; body: string; [key: string]: unknown };
const recordsOf = (event: unknown): Record[] => JSON.parse(JSON.stringify(event)).Records;

async function queue() {
  const dir = mkdtempSync(join(tmpdir(), 'source-'));
  ends.push(() => rmSync(dir, { recursive: true }));
  const guard = { secretOf: () => 'SECRET', authorize() {} };
  const queues = [{ name: 'work', arn, properties: { VisibilityTimeout: 600 } }];
  const sqs = await createSqs({ dir, guard, meter: { count() {} }, queues });
  ends.push(() => sqs.close());
  const start = (
    invoke: EventSourceOptions['invoke'],
    mapping: Partial<MappingPlan> = {},
    others: Partial<EventSourceOptions> = {},
  ) => {
    const source = startEventSource({
      mapping: {
        logicalId: 'Source',
        queueArn: arn,
        functionArn: 'fn',
        batchSize: 10,
        batchingWindowSeconds: 0,
        reportsItemFailures: true,
        ...mapping,
      },
      endpoint: sqs.url,
      queueUrl: `${sqs.url}/000000000000/work`,
      credentials: { accessKeyId: 'KEY', secretAccessKey: 'SECRET' },
      concurrency: 2,
      invoke,
      failed: (error) => unexpected.push(error),
      ...others,
    });
    ends.push(() => source.close());
    return source;
  };
  return { sqs, start };
}

const success: InvocationResult = { payload: null };

test('hands messages over as Lambda does, and deletes what succeeded', async () => {
  const { sqs, start } = await queue();
  const events: unknown[] = [];
  start(async (event) => {
    events.push(event);
    return success;
  });
  await sqs.send(arn, '{"a":1}');
  await vi.waitFor(async () => expect(await sqs.depth(arn)).toMatchObject({ visible: 0, inFlight: 0 }));
  expect(events).toEqual([
    {
      Records: [
        {
          messageId: expect.stringMatching(/^[\da-f-]{36}$/),
          receiptHandle: expect.any(String),
          body: '{"a":1}',
          attributes: expect.objectContaining({
            ApproximateReceiveCount: '1',
            SentTimestamp: expect.stringMatching(/^\d{13}$/),
          }),
          messageAttributes: {},
          md5OfBody: 'bb6cb5c68df4652941caf652a366f2d8', // md5sum of the body
          eventSource: 'aws:sqs',
          eventSourceARN: arn,
          awsRegion: 'us-east-1',
        },
      ],
    },
  ]);
});

test('leaves in flight what failed, and deletes the rest of the batch', async () => {
  const { sqs, start } = await queue();
  for (const body of ['good', 'bad', 'fine']) await sqs.send(arn, body);
  start(async (event) => {
    const bad = recordsOf(event).filter(({ body }) => body === 'bad');
    return { payload: { batchItemFailures: bad.map(({ messageId }) => ({ itemIdentifier: messageId })) } };
  });
  await vi.waitFor(async () => expect(await sqs.depth(arn)).toMatchObject({ visible: 0, inFlight: 1 }));
});

test('leaves the whole batch in flight when the function dies', async () => {
  const { sqs, start } = await queue();
  for (const body of ['a', 'b']) await sqs.send(arn, body);
  let seen = 0;
  start(async (event) => {
    seen += recordsOf(event).length;
    return { functionError: { errorType: 'Runtime.ExitError', errorMessage: '' } };
  });
  await vi.waitFor(() => expect(seen).toBe(2));
  expect(await sqs.depth(arn)).toMatchObject({ visible: 0, inFlight: 2 });
});

test('runs no more batches at once than it may, and none is larger than it may be', async () => {
  const { sqs, start } = await queue();
  for (let i = 0; i < 20; i++) await sqs.send(arn, String(i));
  let running = 0;
  const most = { batches: 0, messages: 0 };
  const bodies = new Set<string>();
  start(
    async (event) => {
      const records = recordsOf(event);
      running += 1;
      most.batches = Math.max(most.batches, running);
      most.messages = Math.max(most.messages, records.length);
      for (const { body } of records) bodies.add(body);
      await new Promise((done) => setTimeout(done, 20));
      running -= 1;
      return success;
    },
    { batchSize: 3 },
    { concurrency: 2 },
  );
  await vi.waitFor(async () => expect(await sqs.depth(arn)).toMatchObject({ visible: 0, inFlight: 0 }), 5000);
  expect(most).toEqual({ batches: 2, messages: 3 });
  expect(bodies.size).toBe(20);
});

test('gathers a batch for as long as its window lasts', async () => {
  const { sqs, start } = await queue();
  const sizes: number[] = [];
  start(
    async (event) => {
      sizes.push(recordsOf(event).length);
      return success;
    },
    { batchSize: 25, batchingWindowSeconds: 300 },
  );
  for (let i = 0; i < 25; i++) await sqs.send(arn, String(i));
  await vi.waitFor(() => expect(sizes).toEqual([25]), 5000);
});

test('tells of a call that failed and goes on', async () => {
  const { sqs, start } = await queue();
  const failures: unknown[] = [];
  let fails = true;
  start(
    async () => {
      if (!fails) return success;
      fails = false;
      throw new Error('not now');
    },
    {},
    { failed: (error) => failures.push(error) },
  );
  await sqs.send(arn, 'a');
  await vi.waitFor(() => expect(failures).toHaveLength(1));
  await sqs.send(arn, 'b');
  await vi.waitFor(async () => expect(await sqs.depth(arn)).toMatchObject({ visible: 0, inFlight: 1 }));
});
