import {
  ChangeMessageVisibilityBatchCommand,
  ChangeMessageVisibilityCommand,
  CreateQueueCommand,
  DeleteMessageBatchCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  type Message,
  PurgeQueueCommand,
  ReceiveMessageCommand,
  type ReceiveMessageCommandInput,
  SendMessageBatchCommand,
  SendMessageCommand,
  type SendMessageCommandInput,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createSqs, type LocalSqs } from '../../local/cloud/sqs/service.ts';
import {
  queueArn as arnOf,
  clientConfig,
  countingMeter,
  failure,
  foreignEndpoint,
  guardWith,
  queueNamed,
  temporaryDirectory,
} from './endpoint.ts';

const names = {
  work: `work-${process.pid}`,
  idle: `idle-${process.pid}`,
  poison: `poison-${process.pid}`,
  dead: `dead-${process.pid}`,
};
const url: Record<keyof typeof names, string> = { work: '', idle: '', poison: '', dead: '' };
let storage: Awaited<ReturnType<typeof temporaryDirectory>>;
let local: LocalSqs | undefined;
let sqs: SQSClient;

beforeAll(async () => {
  storage = await temporaryDirectory();
  if (!foreignEndpoint) {
    local = await createSqs({
      dir: storage.dir,
      guard: guardWith(),
      meter: countingMeter(),
      queues: [
        queueNamed(names.work),
        queueNamed(names.idle),
        queueNamed(names.dead),
        queueNamed(names.poison, { RedrivePolicy: { deadLetterTargetArn: arnOf(names.dead), maxReceiveCount: 2 } }),
      ],
    });
  }
  sqs = new SQSClient(clientConfig(foreignEndpoint ?? local?.url ?? ''));
  for (const key of ['work', 'idle', 'dead', 'poison'] as const) {
    url[key] = foreignEndpoint ? await createElsewhere(key) : (local?.queueUrl(arnOf(names[key])) ?? '');
  }
});

async function createElsewhere(key: keyof typeof names): Promise<string> {
  const Attributes: Record<string, string> = {};
  if (key === 'poison') {
    const dead = await sqs.send(new GetQueueAttributesCommand({ QueueUrl: url.dead, AttributeNames: ['QueueArn'] }));
    Attributes.RedrivePolicy = JSON.stringify({ deadLetterTargetArn: dead.Attributes?.QueueArn, maxReceiveCount: 2 });
  }
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: names[key], Attributes }));
  return QueueUrl ?? '';
}

afterAll(async () => {
  sqs.destroy();
  await local?.close();
  await storage.remove();
});

const send = (MessageBody: string, rest: Partial<SendMessageCommandInput> = {}) =>
  sqs.send(new SendMessageCommand({ QueueUrl: url.work, MessageBody, ...rest }));

async function receive(rest: Partial<ReceiveMessageCommandInput> = {}): Promise<Message[]> {
  const { Messages = [] } = await sqs.send(
    new ReceiveMessageCommand({ QueueUrl: url.work, MessageSystemAttributeNames: ['All'], ...rest }),
  );
  return Messages;
}

const remove = (message: Message | undefined, QueueUrl = url.work) =>
  sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: message?.ReceiptHandle }));

describe('messages', () => {
  it('come back with body, attributes and counts, and are gone once deleted', async () => {
    const MessageAttributes = { timestamp: { DataType: 'Number.java.lang.Long', StringValue: '1493147359900' } };
    const sent = await send('{"é":"雪"}', { MessageAttributes });
    expect(sent.MD5OfMessageAttributes).toBe('2e2e4876d8e0bd6b8c2c8f556831c349'); // from moto's tests
    const [message] = await receive({ MessageAttributeNames: ['All'] });
    expect(message).toMatchObject({
      MessageId: sent.MessageId,
      Body: '{"é":"雪"}',
      MessageAttributes,
      Attributes: { ApproximateReceiveCount: '1' },
    });
    expect(Number(message.Attributes?.SentTimestamp)).toBeGreaterThan(Date.UTC(2020, 0));
    await remove(message);
    expect(await receive()).toEqual([]);
    await remove(message); // deleting twice is no error
  });

  it('are hidden while in flight and come again after the visibility timeout', async () => {
    await send('again');
    const [first] = await receive({ VisibilityTimeout: 1 });
    expect(await receive()).toEqual([]);
    const [second] = await receive({ WaitTimeSeconds: 10 });
    expect(second.MessageId).toBe(first.MessageId);
    expect(second.Attributes?.ApproximateReceiveCount).toBe('2');
    expect(second.Attributes?.ApproximateFirstReceiveTimestamp).toBe(
      first.Attributes?.ApproximateFirstReceiveTimestamp,
    );
    await remove(second);
  });

  it('stay hidden until their delay is over', async () => {
    await send('later', { DelaySeconds: 1 });
    expect(await receive()).toEqual([]);
    const [message] = await receive({ WaitTimeSeconds: 10 });
    expect(message.Body).toBe('later');
    await remove(message);
  });

  it('wake a long poll when they arrive', async () => {
    // The poll of an idle queue is the clock: the woken one must come before it.
    const stopIdle = new AbortController();
    const poll = new ReceiveMessageCommand({ QueueUrl: url.idle, WaitTimeSeconds: 15 });
    const idle = sqs.send(poll, { abortSignal: stopIdle.signal }).catch(() => undefined);
    const woken = receive({ WaitTimeSeconds: 20 });
    await send('wake up');
    const first = await Promise.race([woken, idle]);
    stopIdle.abort();
    expect(first).toMatchObject([{ Body: 'wake up' }]);
    await remove((await woken)[0]);
  });

  it('go to one consumer each, however many ask at once', async () => {
    const bodies = Array.from({ length: 100 }, (_, i) => `parallel-${i}`);
    for (let at = 0; at < bodies.length; at += 10) {
      const Entries = bodies.slice(at, at + 10).map((MessageBody) => ({ Id: MessageBody, MessageBody }));
      const { Successful } = await sqs.send(new SendMessageBatchCommand({ QueueUrl: url.work, Entries }));
      expect(Successful).toHaveLength(10);
    }
    const consume = async () => {
      const seen: Message[] = [];
      for (;;) {
        const batch = await receive({ MaxNumberOfMessages: 7 });
        if (batch.length === 0) return seen;
        expect(batch.length).toBeLessThanOrEqual(7);
        seen.push(...batch);
        const Entries = batch.map(({ ReceiptHandle }, i) => ({ Id: `${i}`, ReceiptHandle }));
        await sqs.send(new DeleteMessageBatchCommand({ QueueUrl: url.work, Entries }));
      }
    };
    const seen = (await Promise.all(Array.from({ length: 10 }, consume))).flat();
    expect(seen.map(({ Body }) => Body).sort()).toEqual([...bodies].sort());
  });

  it('move to the dead-letter queue after maxReceiveCount receives', async () => {
    const sent = await send('poison', { QueueUrl: url.poison });
    for (const count of ['1', '2']) {
      const [message] = await receive({ QueueUrl: url.poison, VisibilityTimeout: 0 });
      expect(message.Attributes?.ApproximateReceiveCount).toBe(count);
    }
    expect(await receive({ QueueUrl: url.poison })).toEqual([]);
    const [dead] = await receive({ QueueUrl: url.dead, WaitTimeSeconds: 5 });
    expect(dead).toMatchObject({ MessageId: sent.MessageId, Body: 'poison' });
    await remove(dead, url.dead);
    expect(await receive({ QueueUrl: url.dead })).toEqual([]);
  });

  it('are all dropped by a purge', async () => {
    await send('one');
    await send('two', { DelaySeconds: 900 });
    await sqs.send(new PurgeQueueCommand({ QueueUrl: url.work }));
    const { Attributes } = await sqs.send(
      new GetQueueAttributesCommand({ QueueUrl: url.work, AttributeNames: ['All'] }),
    );
    expect(Attributes).toMatchObject({ ApproximateNumberOfMessages: '0', ApproximateNumberOfMessagesDelayed: '0' });
  });
});

describe('receipt handles', () => {
  it('delete only as the latest of their message', async () => {
    await send('stale');
    const [first] = await receive({ VisibilityTimeout: 0 });
    const [second] = await receive();
    await remove(first); // succeeds and does nothing
    await sqs.send(
      new ChangeMessageVisibilityCommand({
        QueueUrl: url.work,
        ReceiptHandle: second.ReceiptHandle,
        VisibilityTimeout: 0,
      }),
    );
    const [third] = await receive();
    expect(third.MessageId).toBe(first.MessageId);
    await remove(third);
    expect(await receive()).toEqual([]);
  });

  it('show a message again at once with visibility 0, and refuse that when it is no longer in flight', async () => {
    await send('give back');
    const [message] = await receive();
    const giveBack = (ReceiptHandle?: string) =>
      new ChangeMessageVisibilityCommand({ QueueUrl: url.work, ReceiptHandle, VisibilityTimeout: 0 });
    await sqs.send(giveBack(message.ReceiptHandle));
    expect((await failure(sqs.send(giveBack(message.ReceiptHandle)))).name).toBe('MessageNotInflight');
    const [again] = await receive();
    expect(again.MessageId).toBe(message.MessageId);
    const { Successful, Failed } = await sqs.send(
      new ChangeMessageVisibilityBatchCommand({
        QueueUrl: url.work,
        Entries: [
          { Id: 'good', ReceiptHandle: again.ReceiptHandle, VisibilityTimeout: 0 },
          { Id: 'bad', ReceiptHandle: 'nonsense', VisibilityTimeout: 0 },
        ],
      }),
    );
    expect(Successful?.map(({ Id }) => Id)).toEqual(['good']);
    expect(Failed).toMatchObject([{ Id: 'bad', SenderFault: true, Code: 'ReceiptHandleIsInvalid' }]);
    await remove((await receive())[0]);
  });

  it('are refused if malformed', async () => {
    const malformed = await failure(remove({ ReceiptHandle: 'bm90LWEtaGFuZGxl' }));
    expect(malformed.name).toBe('ReceiptHandleIsInvalid');
  });
});

describe('requests', () => {
  it('find a queue by name, and say so when there is none', async () => {
    const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName: names.work }));
    expect(QueueUrl).toBe(url.work);
    expect((await failure(sqs.send(new GetQueueUrlCommand({ QueueName: 'nowhere' })))).name).toBe('QueueDoesNotExist');
    const missing = url.work.replace(names.work, 'nowhere');
    expect((await failure(send('x', { QueueUrl: missing }))).name).toBe('QueueDoesNotExist');
  });

  it('refuse an empty batch, one of more than ten, and one with an id twice', async () => {
    const batch = (...ids: string[]) =>
      sqs.send(
        new SendMessageBatchCommand({ QueueUrl: url.work, Entries: ids.map((Id) => ({ Id, MessageBody: 'x' })) }),
      );
    expect((await failure(batch())).name).toBe('EmptyBatchRequest');
    expect((await failure(batch('a', 'a'))).name).toBe('BatchEntryIdsNotDistinct');
    expect((await failure(batch(...'abcdefghijk'))).name).toBe('TooManyEntriesInBatchRequest');
  });

  it.each(['\u0000', 'a\ufffe', '\ud800'])('refuse a body with characters outside XML: %j', async (body) => {
    expect((await failure(send(body))).name).toBe('InvalidMessageContents');
    expect(await receive()).toEqual([]);
  });

  it.each([
    { what: 'a delay over 900 s', attempt: () => send('x', { DelaySeconds: 901 }) },
    { what: 'a wait over 20 s', attempt: () => receive({ WaitTimeSeconds: 21 }) },
    { what: 'eleven messages at once', attempt: () => receive({ MaxNumberOfMessages: 11 }) },
    { what: 'more than 1 MiB', attempt: () => send('a'.repeat(1024 * 1024 + 1)) },
  ])('refuse $what', async ({ attempt }) => {
    await failure(attempt());
    expect(await receive()).toEqual([]);
  });
});
