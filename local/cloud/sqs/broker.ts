import { randomBytes, randomUUID } from 'node:crypto';
import type { QueueSettings } from './config.ts';
import { invalidParameter, sqsError } from './errors.ts';
import { Journal, type JournalRecord, type SentRecord } from './journal.ts';
import type { MessageAttributes } from './message-attributes.ts';
import { type Message, Queue, type QueueDepth } from './queue.ts';
import { Waiters } from './waiters.ts';

/** A queue with its settings and those who wait for its messages. */
export interface Channel {
  readonly settings: QueueSettings;
  readonly queue: Queue;
  readonly waiters: Waiters;
}

export interface NewMessage {
  readonly body: string;
  readonly attributes?: MessageAttributes;
  readonly senderId: string;
  readonly delayMs?: number;
}

const maxInFlight = 120_000;
const maxHiddenMs = 12 * 3600 * 1000;
/** History that the journal may carry before it is rewritten, beyond twice what is live. */
const idleJournalBytes = 8 * 1024 * 1024;

/** All queues, and the journal that brings them back. Every change is in the journal before it is in memory. */
export class Broker {
  readonly #channels = new Map<string, Channel>();
  readonly #journal: Journal;
  /** Messages of queues that the template no longer has: kept until it has them again. */
  readonly #orphans: readonly SentRecord[];
  readonly #nowMs: () => number;
  readonly #listeners = new Set<(queueArn: string) => void>();
  #compactAtBytes: number;

  /** @throws {Error} if the journal is broken in the middle */
  constructor(dir: string, queues: readonly QueueSettings[], nowMs: () => number) {
    this.#nowMs = nowMs;
    for (const settings of queues) {
      this.#channels.set(settings.name, { settings, queue: new Queue(), waiters: new Waiters() });
    }
    const { journal, live } = Journal.open(dir);
    this.#journal = journal;
    const orphans: SentRecord[] = [];
    for (const record of live) {
      const channel = this.#channels.get(record.queue);
      if (!channel) orphans.push(record);
      else
        channel.queue.add(
          { ...record, attributes: record.attributes ?? {} },
          record.receiveCount ?? 0,
          record.dueAtMs,
          nowMs(),
        );
    }
    this.#orphans = orphans;
    journal.compact(live);
    this.#compactAtBytes = 2 * journal.bytes + idleJournalBytes;
  }

  /** @throws {AwsJsonError} QueueDoesNotExist */
  channel(name: string): Channel {
    const channel = this.#channels.get(name);
    if (!channel) throw sqsError('QueueDoesNotExist', `The specified queue does not exist: ${name}`);
    return channel;
  }

  /** @throws {AwsJsonError} QueueDoesNotExist */
  channelOfArn(arn: string): Channel {
    for (const channel of this.#channels.values()) if (channel.settings.arn === arn) return channel;
    throw sqsError('QueueDoesNotExist', `The specified queue does not exist: ${arn}`);
  }

  /** Tells `listener` whenever a queue's messages change. @returns how to stop it */
  onChange(listener: (queueArn: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** @returns the message ids, in order */
  send(channel: Channel, messages: readonly NewMessage[]): string[] {
    const nowMs = this.#nowMs();
    const records = messages.map(({ body, attributes = {}, senderId, delayMs = channel.settings.delayMs }) => ({
      event: 'sent' as const,
      queue: channel.settings.name,
      id: randomUUID(),
      body,
      ...(Object.keys(attributes).length > 0 && { attributes: { ...attributes } }),
      senderId,
      sentAtMs: nowMs,
      dueAtMs: nowMs + delayMs,
    }));
    this.#journal.append(records);
    for (const record of records) {
      channel.queue.add({ ...record, attributes: record.attributes ?? {} }, 0, record.dueAtMs, nowMs);
    }
    this.#changed(channel);
    return records.map(({ id }) => id);
  }

  /**
   * Takes up to `count` messages, waiting up to `waitMs` for the first.
   * @throws {AwsJsonError} OverLimit with 120,000 messages in flight
   */
  async receive(
    channel: Channel,
    request: {
      readonly count: number;
      readonly visibilityMs: number;
      readonly waitMs: number;
      readonly signal?: AbortSignal;
    },
  ): Promise<readonly Message[]> {
    const deadlineMs = this.#nowMs() + request.waitMs;
    for (;;) {
      if (request.signal?.aborted) return [];
      const delivered = this.#take(channel, request);
      if (delivered.length > 0) return delivered;
      const leftMs = deadlineMs - this.#nowMs();
      if (leftMs <= 0) return [];
      const untilDueMs = (channel.queue.nextDueMs ?? Number.POSITIVE_INFINITY) - this.#nowMs();
      await channel.waiters.wait(Math.max(1, Math.min(leftMs, untilDueMs)), request.signal);
    }
  }

  /** Deletes a message if the receipt is that of its latest receive; an older one does nothing, as on AWS. */
  delete(channel: Channel, id: string, receipt: string): void {
    const message = channel.queue.find(id);
    if (!message || message.receipt !== receipt) return;
    this.#journal.append([{ event: 'gone', id }]);
    channel.queue.remove(message);
    this.#changed(channel);
  }

  /** @throws {AwsJsonError} if the receipt is not that of the latest receive, or its time is up */
  changeVisibility(channel: Channel, id: string, receipt: string, visibilityMs: number): void {
    const message = channel.queue.find(id);
    if (!message || message.receipt !== receipt) {
      throw invalidParameter('Message does not exist or is not available for visibility timeout change.');
    }
    const nowMs = this.#nowMs();
    if (nowMs + visibilityMs > message.receivedAtMs + maxHiddenMs) {
      throw invalidParameter('Total VisibilityTimeout for the message is beyond the limit of 43200 seconds');
    }
    if (!channel.queue.postpone(message, nowMs + visibilityMs, nowMs)) {
      throw sqsError('MessageNotInflight', 'The message referred to is not in flight.');
    }
    this.#changed(channel);
  }

  purge(channel: Channel): void {
    const messages = [...channel.queue.messages()];
    this.#journal.append(messages.map(({ id }) => ({ event: 'gone', id })));
    for (const message of messages) channel.queue.remove(message);
    this.#changed(channel);
  }

  depth({ queue }: Channel): QueueDepth {
    return queue.depth(this.#nowMs());
  }

  close(): void {
    for (const { waiters } of this.#channels.values()) waiters.wakeAll();
    this.#journal.close();
  }

  #take(channel: Channel, request: { readonly count: number; readonly visibilityMs: number }): readonly Message[] {
    const { queue, settings } = channel;
    const nowMs = this.#nowMs();
    if (queue.depth(nowMs).inFlight >= maxInFlight) {
      throw sqsError('OverLimit', `The queue has ${maxInFlight} messages in flight`);
    }
    const { delivered, dead, expired } = queue.take(
      {
        ...request,
        retentionMs: settings.retentionMs,
        maxReceiveCount: settings.redrive?.maxReceiveCount ?? Number.POSITIVE_INFINITY,
      },
      nowMs,
      () => randomBytes(12).toString('hex'),
    );
    const grave = settings.redrive && this.channelOfArn(settings.redrive.deadLetterArn);
    this.#journal.append([
      ...expired.map(({ id }): JournalRecord => ({ event: 'gone', id })),
      ...dead.map(({ id }): JournalRecord => ({ event: 'moved', id, queue: grave?.settings.name ?? '' })),
      ...delivered.map(({ id, receiveCount }): JournalRecord => ({ event: 'received', id, count: receiveCount })),
    ]);
    for (const message of dead) grave?.queue.add(contentOf(message), 0, nowMs, nowMs);
    if (grave && dead.length > 0) this.#changed(grave);
    if (delivered.length + dead.length + expired.length > 0) this.#changed(channel);
    return delivered;
  }

  *#live(): Iterable<SentRecord> {
    for (const { settings, queue } of this.#channels.values()) {
      for (const message of queue.messages()) {
        const { receiveCount, state, dueAtMs, sentAtMs } = message;
        yield {
          event: 'sent',
          queue: settings.name,
          ...contentOf(message),
          attributes: { ...message.attributes },
          dueAtMs: state === 'delayed' ? dueAtMs : sentAtMs,
          receiveCount,
        };
      }
    }
  }

  /** Call when memory and journal agree again. */
  #changed({ settings, waiters }: Channel): void {
    if (this.#journal.bytes >= this.#compactAtBytes) {
      this.#journal.compact([...this.#orphans, ...this.#live()]);
      this.#compactAtBytes = 2 * this.#journal.bytes + idleJournalBytes;
    }
    waiters.wakeAll();
    for (const listener of this.#listeners) listener(settings.arn);
  }
}

function contentOf({ id, body, attributes, senderId, sentAtMs }: Message) {
  return { id, body, attributes: { ...attributes }, senderId, sentAtMs };
}
