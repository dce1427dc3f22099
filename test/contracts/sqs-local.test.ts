import { appendFile, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import {
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  ListQueuesCommand,
  type Message,
  PurgeQueueCommand,
  ReceiveMessageCommand,
  type ReceiveMessageCommandInput,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createSqs, type LocalSqs } from '../../local/cloud/sqs/service.ts';
import {
  queueArn as arnOf,
  clientConfig,
  countingMeter,
  failure,
  guardWith,
  postSigned,
  queueNamed,
  startProcess,
  temporaryDirectory,
} from './endpoint.ts';

const sender = {
  accessKeyId: 'AKIASENDER',
  secretAccessKey: 'sender-secret',
  name: 'function Sender (role SenderRole)',
  policies: [{ Statement: { Effect: 'Allow' as const, Action: 'sqs:SendMessage', Resource: arnOf('work') } }],
};
const meter = countingMeter();
let storage: Awaited<ReturnType<typeof temporaryDirectory>>;
let local: LocalSqs;
let nowMs: () => number = Date.now;
let sqs: SQSClient;

beforeAll(async () => {
  storage = await temporaryDirectory();
  const queues = [queueNamed('work'), queueNamed('idle')];
  local = await createSqs({ dir: storage.dir, guard: guardWith(sender), meter, nowMs: () => nowMs(), queues });
  sqs = new SQSClient(clientConfig(local.url));
});

afterAll(async () => {
  sqs.destroy();
  await local.close();
  await storage.remove();
});

const url = (name: string) => local.queueUrl(arnOf(name));
const send = (MessageBody: string) => sqs.send(new SendMessageCommand({ QueueUrl: url('work'), MessageBody }));
const remove = (message: Message | undefined, QueueUrl = url('work')) =>
  sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: message?.ReceiptHandle }));

async function receive(rest: Partial<ReceiveMessageCommandInput> = {}): Promise<Message[]> {
  const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl: url('work'), ...rest }));
  return Messages;
}

describe('the local SQS', () => {
  it('refuses what the role does not allow and names it', async () => {
    const limited = new SQSClient(clientConfig(local.url, sender));
    await limited.send(new SendMessageCommand({ QueueUrl: url('work'), MessageBody: 'allowed' }));
    const receiveCommand = new ReceiveMessageCommand({ QueueUrl: url('work') });
    const denied = await failure(limited.send(receiveCommand));
    expect(denied.name).toBe('AccessDeniedException');
    expect(denied.message).toContain(
      `function Sender (role SenderRole) is not authorized to perform: sqs:ReceiveMessage on resource: ${arnOf('work')}`,
    );
    limited.destroy();
    await remove((await receive())[0]);
  });

  it.each([
    { body: '{"QueueUrl":', why: /not JSON/ },
    { body: '{"QueueUrl":1}', why: /QueueUrl/ },
    { body: '{"QueueUrl":"/000000000000/../x","MessageBody":"a"}', why: /does not exist/ },
    { body: '{"QueueUrl":"/999999999999/work","MessageBody":"a"}', why: /does not exist/ },
    { body: '{"QueueUrl":"q","MessageBody":"a","Surprise":1}', why: /Surprise/ },
    { body: '{"QueueUrl":"q","MessageBody":"a","MessageAttributes":{"a":{"DataType":"List"}}}', why: /DataType/ },
  ])('refuses the body $body', async ({ body, why }) => {
    const answer = await postSigned({ url: local.url, service: 'sqs', target: 'AmazonSQS.SendMessage', body });
    expect(answer.status).toBe(400);
    expect(answer.message).toMatch(why);
  });

  it('names an operation that it does not know', async () => {
    expect((await failure(sqs.send(new ListQueuesCommand({})))).message).toContain('ListQueues');
  });

  it('takes messages from AWS services, tells who listens, and knows its depth', async () => {
    const arn = arnOf('idle');
    const changes: string[] = [];
    const stop = local.onChange((queueArn) => changes.push(queueArn));
    await local.send(arn, 'from S3');
    await local.send(arn, 'later', 900);
    expect(local.depth(arn)).toEqual({ visible: 1, inFlight: 0, delayed: 1 });
    const [message] = await receive({ QueueUrl: url('idle') });
    expect(message.Body).toBe('from S3');
    expect(local.depth(arn)).toEqual({ visible: 0, inFlight: 1, delayed: 1 });
    await remove(message, url('idle'));
    stop();
    await sqs.send(new PurgeQueueCommand({ QueueUrl: url('idle') }));
    expect(changes).toEqual([arn, arn, arn, arn]);
  });

  it('forgets messages that are older than the retention period of four days', async () => {
    await send('old');
    nowMs = () => Date.now() + 4 * 24 * 3600 * 1000;
    const later = new SQSClient({ ...clientConfig(local.url), systemClockOffset: 4 * 24 * 3600 * 1000 });
    const { Messages } = await later.send(new ReceiveMessageCommand({ QueueUrl: url('work') }));
    nowMs = Date.now;
    expect(Messages).toBeUndefined();
    expect(local.depth(arnOf('work')).visible).toBe(0);
    later.destroy();
  });

  it('does not give a message to a long poll that has hung up', async () => {
    const hangUp = new AbortController();
    const poll = sqs.send(new ReceiveMessageCommand({ QueueUrl: url('work'), WaitTimeSeconds: 20 }), {
      abortSignal: hangUp.signal,
    });
    hangUp.abort();
    await failure(poll);
    await send('for somebody else');
    const [message] = await receive({ WaitTimeSeconds: 5 });
    expect(message.Body).toBe('for somebody else');
    await remove(message);
  });

  it('counts a request for every 64 KB', async () => {
    const before = meter.counts['sqs.requests'] ?? 0;
    await send('a'.repeat(100 * 1024)); // 2
    const [message] = await receive(); // 2
    await remove(message); // 1
    expect((meter.counts['sqs.requests'] ?? 0) - before).toBe(5);
  });

  it('loses no acknowledged message to kill -9 and keeps delays and receive counts', async () => {
    const { dir, remove: removeDir } = await temporaryDirectory();
    const queues = [queueNamed('kept')];
    const start = () =>
      startProcess(
        '../../local/cloud/sqs/service.ts',
        `service.createSqs({ guard, meter, dir: ${JSON.stringify(dir)}, queues: ${JSON.stringify(queues)} })`,
      );
    let server = await start();
    try {
      let client = new SQSClient(clientConfig(server.url));
      const queue = () => ({ QueueUrl: `${server.url}/000000000000/kept` });
      const sendTo = (MessageBody: string, DelaySeconds = 0) =>
        client.send(new SendMessageCommand({ ...queue(), MessageBody, DelaySeconds }));
      await sendTo('delayed', 900);
      await sendTo('deleted');
      const { Messages: [gone] = [] } = await client.send(new ReceiveMessageCommand(queue()));
      await client.send(new DeleteMessageCommand({ ...queue(), ReceiptHandle: gone.ReceiptHandle }));
      await sendTo('in flight');
      await client.send(new ReceiveMessageCommand(queue()));
      const acknowledged: string[] = [];
      let killed: Promise<void> | undefined;
      const writer = async (name: string) => {
        for (let i = 0; ; i++) {
          await sendTo(`${name}-${i}`);
          acknowledged.push(`${name}-${i}`);
          if (acknowledged.length === 100) killed = server.kill();
        }
      };
      await Promise.allSettled([writer('a'), writer('b')]);
      await killed;
      client.destroy();

      server = await start();
      client = new SQSClient(clientConfig(server.url));
      const found: Message[] = [];
      for (;;) {
        const { Messages } = await client.send(
          new ReceiveMessageCommand({ ...queue(), MaxNumberOfMessages: 10, MessageSystemAttributeNames: ['All'] }),
        );
        if (!Messages) break;
        found.push(...Messages);
      }
      const bodies = found.map(({ Body }) => Body);
      expect(bodies).toEqual(expect.arrayContaining([...acknowledged, 'in flight']));
      expect(bodies).not.toContain('deleted');
      expect(bodies).not.toContain('delayed');
      expect(new Set(bodies).size).toBe(bodies.length);
      expect(found.find(({ Body }) => Body === 'in flight')?.Attributes?.ApproximateReceiveCount).toBe('2');
      const { Attributes } = await client.send(
        new GetQueueAttributesCommand({ ...queue(), AttributeNames: ['ApproximateNumberOfMessagesDelayed'] }),
      );
      expect(Attributes).toEqual({ ApproximateNumberOfMessagesDelayed: '1' });
      client.destroy();
    } finally {
      await server.kill();
      await removeDir();
    }
  });
});

describe('the journal', () => {
  /** Opens the queues of a directory, does something with them and closes them. */
  async function withQueues<T>(dir: string, queues: string[], act: (service: LocalSqs) => Promise<T>): Promise<T> {
    const service = await createSqs({ dir, guard: guardWith(), meter, queues: queues.map((name) => queueNamed(name)) });
    try {
      return await act(service);
    } finally {
      await service.close();
    }
  }

  it('cuts off a half-written last line and refuses a broken line before it, by number', async () => {
    const { dir, remove: removeDir } = await temporaryDirectory();
    const file = join(dir, 'journal.ndjson');
    await withQueues(dir, ['q'], (service) => service.send(arnOf('q'), 'whole'));
    await appendFile(file, (await readFile(file, 'utf8')).slice(0, 40));
    await withQueues(dir, ['q'], async (service) => {
      expect(service.depth(arnOf('q')).visible).toBe(1);
      await service.send(arnOf('q'), 'after');
    });
    await withQueues(dir, ['q'], async (service) => expect(service.depth(arnOf('q')).visible).toBe(2));
    await appendFile(file, '{"event":"vanished"}\n');
    expect((await failure(withQueues(dir, ['q'], async () => undefined))).message).toMatch(/journal\.ndjson line 3/);
    await removeDir();
  });

  it('keeps the messages of a queue that leaves the template until it comes back', async () => {
    const { dir, remove: removeDir } = await temporaryDirectory();
    await withQueues(dir, ['a', 'b'], (service) => service.send(arnOf('a'), 'waiting'));
    await withQueues(dir, ['b'], (service) => service.send(arnOf('b'), 'other'));
    await withQueues(dir, ['a', 'b'], async (service) => expect(service.depth(arnOf('a')).visible).toBe(1));
    await removeDir();
  });

  it('drops history while running, and nothing that is live', async () => {
    const { dir, remove: removeDir } = await temporaryDirectory();
    await withQueues(dir, ['q'], async (service) => {
      const client = new SQSClient(clientConfig(service.url));
      const QueueUrl = service.queueUrl(arnOf('q'));
      await service.send(arnOf('q'), 'live', 900);
      for (let i = 0; i < 20; i++) {
        await service.send(arnOf('q'), 'a'.repeat(1_000_000));
        const { Messages: [message] = [] } = await client.send(new ReceiveMessageCommand({ QueueUrl }));
        await client.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: message.ReceiptHandle }));
      }
      client.destroy();
      expect((await stat(join(dir, 'journal.ndjson'))).size).toBeLessThan(12_000_000); // of 20 MB sent
    });
    await withQueues(dir, ['q'], async (service) =>
      expect(service.depth(arnOf('q'))).toEqual({ visible: 0, inFlight: 0, delayed: 1 }),
    );
    await removeDir();
  });

  it.each([
    { properties: { FifoQueue: true }, why: /FIFO/ },
    { properties: { Surprise: 1 }, why: /Surprise/ },
    { properties: { VisibilityTimeout: 43_201 }, why: /VisibilityTimeout/ },
    { properties: { RedrivePolicy: 'not json' }, why: /RedrivePolicy/ },
    {
      properties: { RedrivePolicy: { deadLetterTargetArn: arnOf('nowhere'), maxReceiveCount: 3 } },
      why: /nowhere does not exist/,
    },
  ])('is not opened for a queue with $properties', async ({ properties, why }) => {
    const { dir, remove: removeDir } = await temporaryDirectory();
    const attempt = createSqs({ dir, guard: guardWith(), meter, queues: [queueNamed('odd-queue', properties)] });
    const error = await failure(attempt);
    expect(error.message).toMatch(/odd-queue/);
    expect(error.message).toMatch(why);
    await removeDir();
  });
});
