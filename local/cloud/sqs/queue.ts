import { DueHeap } from './due-heap.ts';
import type { MessageAttributes } from './message-attributes.ts';

/** What a message is, wherever it lies. */
export interface MessageContent {
  readonly id: string;
  readonly body: string;
  readonly attributes: MessageAttributes;
  readonly senderId: string;
  readonly sentAtMs: number;
}

type State = 'ready' | 'delayed' | 'in-flight';

/** A message in a queue. Only its queue changes it. */
export interface Message extends MessageContent {
  state: State;
  receiveCount: number;
  firstReceivedAtMs: number | undefined;
  receivedAtMs: number;
  /** Proves the latest receive; older handles no longer delete. */
  receipt: string | undefined;
  /** When a delayed or in-flight message becomes ready. */
  dueAtMs: number;
}

export interface QueueDepth {
  readonly visible: number;
  readonly inFlight: number;
  readonly delayed: number;
}

/** What one look at the queue gives; `dead` and `expired` have left it. */
export interface Taken {
  readonly delivered: readonly Message[];
  readonly dead: readonly Message[];
  readonly expired: readonly Message[];
}

/** A standard queue in memory. Time is an argument; nothing happens between calls. */
export class Queue {
  readonly #messages = new Map<string, Message>();
  readonly #ready = new Set<Message>();
  /** Ids: it holds stale entries too, of messages that are gone or whose `dueAtMs` has changed since, for hours maybe. */
  readonly #due = new DueHeap<string>();
  readonly #counts: Record<State, number> = { ready: 0, delayed: 0, 'in-flight': 0 };

  /** All messages, oldest arrival first. */
  messages(): Iterable<Message> {
    return this.#messages.values();
  }

  find(id: string): Message | undefined {
    return this.#messages.get(id);
  }

  /** When the next message becomes ready by itself, in epoch milliseconds. */
  get nextDueMs(): number | undefined {
    return this.#due.nextMs;
  }

  add(content: MessageContent, receiveCount: number, dueAtMs: number, nowMs: number): void {
    const message: Message = {
      ...content,
      state: 'ready',
      receiveCount,
      firstReceivedAtMs: undefined,
      receivedAtMs: 0,
      receipt: undefined,
      dueAtMs,
    };
    this.#messages.set(message.id, message);
    this.#counts.ready++;
    if (dueAtMs > nowMs) this.#hold(message, 'delayed', dueAtMs);
    else this.#ready.add(message);
  }

  remove(message: Message): void {
    if (!this.#messages.delete(message.id)) return;
    this.#ready.delete(message);
    this.#counts[message.state]--;
  }

  /**
   * Delivers up to `limits.count` ready messages and hides them for `limits.visibilityMs`. A message that was received
   * `maxReceiveCount` times already is dead, one older than `retentionMs` has expired: both are removed instead.
   */
  take(
    limits: {
      readonly count: number;
      readonly visibilityMs: number;
      readonly retentionMs: number;
      readonly maxReceiveCount: number;
    },
    nowMs: number,
    newReceipt: () => string,
  ): Taken {
    this.#promote(nowMs);
    const delivered: Message[] = [];
    const dead: Message[] = [];
    const expired: Message[] = [];
    for (const message of this.#ready) {
      if (delivered.length === limits.count) break;
      if (nowMs - message.sentAtMs >= limits.retentionMs) expired.push(message);
      else if (message.receiveCount >= limits.maxReceiveCount) dead.push(message);
      else delivered.push(message);
    }
    for (const message of [...dead, ...expired]) this.remove(message);
    for (const message of delivered) {
      message.receiveCount++;
      message.firstReceivedAtMs ??= nowMs;
      message.receivedAtMs = nowMs;
      message.receipt = newReceipt();
      if (limits.visibilityMs > 0) this.#hold(message, 'in-flight', nowMs + limits.visibilityMs);
    }
    return { delivered, dead, expired };
  }

  /** Hides an in-flight message until `dueAtMs`, or shows it at once. @returns false if it is not in flight (any more) */
  postpone(message: Message, dueAtMs: number, nowMs: number): boolean {
    this.#promote(nowMs);
    if (message.state !== 'in-flight') return false;
    if (dueAtMs > nowMs) this.#hold(message, 'in-flight', dueAtMs);
    else this.#show(message);
    return true;
  }

  depth(nowMs: number): QueueDepth {
    this.#promote(nowMs);
    return { visible: this.#counts.ready, inFlight: this.#counts['in-flight'], delayed: this.#counts.delayed };
  }

  #promote(nowMs: number): void {
    for (let entry = this.#due.popDue(nowMs); entry; entry = this.#due.popDue(nowMs)) {
      const message = this.#messages.get(entry.value);
      if (message && message.dueAtMs === entry.atMs && message.state !== 'ready') this.#show(message);
    }
  }

  #show(message: Message): void {
    this.#setState(message, 'ready');
    this.#ready.add(message);
  }

  #hold(message: Message, state: 'delayed' | 'in-flight', dueAtMs: number): void {
    this.#setState(message, state);
    this.#ready.delete(message);
    message.dueAtMs = dueAtMs;
    this.#due.push(dueAtMs, message.id);
  }

  #setState(message: Message, state: State): void {
    this.#counts[message.state]--;
    this.#counts[state]++;
    message.state = state;
  }
}
