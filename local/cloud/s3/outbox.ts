import { setTimeout as delay } from 'node:timers/promises';
import type { Catalog, QueueEvent } from './catalog.ts';

export type Notify = (event: QueueEvent) => Promise<void>;

const maxInFlight = 16;
const maxDelayMs = 5000;

/**
 * Delivers the catalog's events at least once: an event stays on record until `notify` has taken it, and what a kill left behind
 * is sent again at the next start.
 */
export class Outbox {
  readonly #catalog: Catalog;
  readonly #notify: Notify;
  readonly #log: (line: string) => void;
  readonly #stop = new AbortController();
  readonly #inFlight = new Set<Promise<void>>();
  #lastTaken = 0;
  #lastSequence = 0n;

  constructor(catalog: Catalog, notify: Notify, log: (line: string) => void) {
    this.#catalog = catalog;
    this.#notify = notify;
    this.#log = log;
  }

  /** A number that grows with every call and, through the clock, over restarts. */
  nextSequence(nowMs: number): bigint {
    const fromClock = BigInt(nowMs) << 20n;
    this.#lastSequence = fromClock > this.#lastSequence ? fromClock : this.#lastSequence + 1n;
    return this.#lastSequence;
  }

  /** Sends what is on record and not yet under way; called at start-up and after every commit. */
  pump(): void {
    if (this.#stop.signal.aborted) return;
    const room = maxInFlight - this.#inFlight.size;
    if (room <= 0) return;
    for (const event of this.#catalog.undelivered(this.#lastTaken, room)) {
      this.#lastTaken = event.id;
      const sent = this.#send(event).finally(() => {
        this.#inFlight.delete(sent);
        this.pump();
      });
      this.#inFlight.add(sent);
    }
  }

  /** Waits for deliveries under way; the rest stays on record. */
  async close(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#inFlight);
  }

  async #send(event: QueueEvent & { readonly id: number }): Promise<void> {
    for (let delayMs = 50; !this.#stop.signal.aborted; delayMs = Math.min(delayMs * 2, maxDelayMs)) {
      try {
        await this.#notify(event);
        this.#catalog.delivered(event.id);
        return;
      } catch (error) {
        this.#log(`s3: event for ${event.queueArn} not delivered, trying again in ${delayMs} ms: ${error}`);
        await delay(delayMs, undefined, { signal: this.#stop.signal }).catch(() => {});
      }
    }
  }
}
