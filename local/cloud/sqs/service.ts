import { startJsonServer } from '../iam/json-server.ts';
import { type Guard, type LocalService, localAccount, type Meter } from '../service.ts';
import { Broker, type Channel } from './broker.ts';
import { parseQueues, type QueueConfig } from './config.ts';
import { sqsError } from './errors.ts';
import { type Desk, operationNamed } from './operations.ts';
import type { QueueDepth } from './queue.ts';

export type { QueueConfig } from './config.ts';
export type { QueueDepth } from './queue.ts';

export interface SqsOptions {
  /** Holds the journal; survives kill -9. One process at a time. */
  readonly dir: string;
  readonly port?: number;
  readonly guard: Guard;
  readonly meter: Meter;
  readonly queues: readonly QueueConfig[];
  readonly nowMs?: () => number;
}

export interface LocalSqs extends LocalService {
  /** Sends for an AWS service that has been authorized already, such as S3's notifications. */
  send(queueArn: string, body: string, delaySeconds?: number): Promise<void>;
  depth(queueArn: string): QueueDepth;
  /** The URL by which clients address the queue. */
  queueUrl(queueArn: string): string;
  /** Tells `listener` whenever a queue's messages change. @returns how to stop it */
  onChange(listener: (queueArn: string) => void): () => void;
}

const billedBytes = 64 * 1024;

/**
 * SQS standard queues on 127.0.0.1, at least once.
 * @throws {RangeError} naming a queue property that the local cloud does not know
 * @throws {Error} if the journal in `dir` is broken
 */
export async function createSqs(options: SqsOptions): Promise<LocalSqs> {
  const { guard, meter, nowMs = Date.now } = options;
  const broker = new Broker(options.dir, parseQueues(options.queues), nowMs);
  const server = await startJsonServer({
    service: 'sqs',
    target: 'AmazonSQS',
    guard,
    nowMs,
    // A message of 1 MiB, every byte of it escaped.
    maxBodyBytes: 8 * 1024 * 1024,
    port: options.port,
    handle: async ({ operation, input, accessKeyId, bodyBytes, signal }) => {
      const allowed = (channel: Channel, action: string) => {
        guard.authorize(accessKeyId, action, channel.settings.arn);
        return channel;
      };
      const desk: Desk = {
        broker,
        senderId: accessKeyId,
        signal,
        channel: (queueUrl, action) => allowed(broker.channel(nameOf(queueUrl)), action),
        channelNamed: (name, action) => allowed(broker.channel(name), action),
        urlOf,
      };
      const reply = await operationNamed(operation)(desk, input);
      const replyBytes = operation === 'ReceiveMessage' ? JSON.stringify(reply).length : 0;
      meter.count('sqs.requests', Math.max(1, Math.ceil(Math.max(bodyBytes, replyBytes) / billedBytes)));
      return reply;
    },
  }).catch((error: unknown) => {
    broker.close();
    throw error;
  });
  const url = `http://127.0.0.1:${server.port}`;

  function urlOf({ settings }: Channel): string {
    return `${url}/${localAccount.accountId}/${settings.name}`;
  }

  return {
    url,
    async send(queueArn, body, delaySeconds) {
      const delayMs = delaySeconds === undefined ? undefined : delaySeconds * 1000;
      broker.send(broker.channelOfArn(queueArn), [{ body, senderId: 'aws-service', delayMs }]);
      meter.count('sqs.requests', Math.max(1, Math.ceil(Buffer.byteLength(body) / billedBytes)));
    },
    depth: (queueArn) => broker.depth(broker.channelOfArn(queueArn)),
    queueUrl: (queueArn) => urlOf(broker.channelOfArn(queueArn)),
    onChange: (listener) => broker.onChange(listener),
    async close() {
      await server.close();
      broker.close();
    },
  };
}

/** The queue's name in its URL; the host does not matter, so that a URL outlives a change of port. */
function nameOf(queueUrl: string): string {
  const match = /^(?:https?:\/\/[^/]+)?\/(\d{12})\/([\w-]{1,80})\/?$/.exec(queueUrl);
  if (match?.[1] === localAccount.accountId) return match[2];
  throw sqsError('QueueDoesNotExist', `The specified queue does not exist: ${queueUrl}`);
}
