import { setTimeout as sleep } from 'node:timers/promises';
import { DeleteMessageBatchCommand, type Message, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { localAccount } from '../service.ts';
import type { MappingPlan } from '../template/plan.ts';
import { failedItems } from './batch-report.ts';
import type { InvocationResult } from './invocation.ts';
import { sqsEvent } from './sqs-event.ts';
import type { RoleCredentials } from './variables.ts';

export interface EventSourceOptions {
  readonly mapping: MappingPlan;
  readonly endpoint: string;
  readonly queueUrl: string;
  /** The function's role: Lambda polls with it. */
  readonly credentials: RoleCredentials;
  /** Batches at once at most. */
  readonly concurrency: number;
  invoke(event: unknown): Promise<InvocationResult>;
  /** A call to the queue failed; polling goes on a second later. */
  failed(error: unknown): void;
}

export interface EventSource {
  close(): Promise<void>;
}

const longPollSeconds = 20;
const pauseAfterErrorMs = 1000;

/**
 * Feeds a function from a queue: one long poll at a time while fewer than `concurrency` batches run. Messages of a failed batch stay
 * in flight until their visibility timeout, as on AWS.
 */
export function startEventSource(options: EventSourceOptions): EventSource {
  const { mapping, queueUrl } = options;
  const client = new SQSClient({
    endpoint: options.endpoint,
    region: localAccount.region,
    credentials: { ...options.credentials },
    maxAttempts: 1,
  });
  const closing = new AbortController();
  const { signal } = closing;
  const running = new Set<Promise<void>>();
  const cap = Math.min(options.concurrency, mapping.maximumConcurrency ?? Number.POSITIVE_INFINITY);

  const receive = async (limit: number, waitSeconds: number): Promise<Message[]> => {
    const command = new ReceiveMessageCommand({
      QueueUrl: queueUrl,
      MaxNumberOfMessages: Math.min(limit, 10),
      WaitTimeSeconds: waitSeconds,
      MessageSystemAttributeNames: ['All'],
      MessageAttributeNames: ['All'],
    });
    const { Messages } = await client.send(command, { abortSignal: signal });
    return Messages ?? [];
  };

  const gather = async (): Promise<Message[]> => {
    const batch = await receive(mapping.batchSize, longPollSeconds);
    if (batch.length === 0) return batch;
    const endMs = performance.now() + mapping.batchingWindowSeconds * 1000;
    while (batch.length < mapping.batchSize && mapping.batchingWindowSeconds > 0) {
      const leftMs = endMs - performance.now();
      if (leftMs <= 0) break;
      if (leftMs < 1000) await sleep(leftMs, undefined, { signal });
      const waitSeconds = Math.min(Math.floor(leftMs / 1000), longPollSeconds);
      batch.push(...(await receive(mapping.batchSize - batch.length, waitSeconds)));
    }
    return batch;
  };

  const handle = async (batch: readonly Message[]): Promise<void> => {
    const result = await options.invoke(sqsEvent(batch, mapping.queueArn));
    const ids = batch.map(({ MessageId }) => MessageId ?? '');
    const failed = failedItems(result, ids, mapping.reportsItemFailures);
    const done = batch.filter(({ MessageId }) => !failed.has(MessageId ?? ''));
    for (let start = 0; start < done.length; start += 10) {
      const entries = done.slice(start, start + 10);
      await client.send(
        new DeleteMessageBatchCommand({
          QueueUrl: queueUrl,
          Entries: entries.map(({ ReceiptHandle }, i) => ({ Id: String(i), ReceiptHandle })),
        }),
        { abortSignal: signal },
      );
    }
  };

  const poll = async (): Promise<void> => {
    while (!signal.aborted) {
      try {
        if (running.size >= cap) await Promise.race(running);
        const batch = await gather();
        if (batch.length === 0) continue;
        const work = handle(batch)
          .catch((error: unknown) => {
            if (!signal.aborted) options.failed(error);
          })
          .finally(() => running.delete(work));
        running.add(work);
      } catch (error) {
        if (signal.aborted) return;
        options.failed(error);
        await sleep(pauseAfterErrorMs, undefined, { signal }).catch(() => {});
      }
    }
  };

  const polling = poll();
  return {
    async close() {
      closing.abort();
      await polling;
      await Promise.all(running);
      client.destroy();
    },
  };
}
