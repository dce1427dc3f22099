import type { Throttle } from '../template/plan.ts';

/** Lets `burst` requests through at once and `rate` a second after that. */
export class TokenBucket {
  readonly #limits: Throttle;
  readonly #nowMs: () => number;
  #tokens: number;
  #filledMs: number;

  constructor(limits: Throttle, nowMs: () => number) {
    this.#limits = limits;
    this.#nowMs = nowMs;
    this.#tokens = limits.burst;
    this.#filledMs = nowMs();
  }

  /** Takes one token; false if there is none. */
  take(): boolean {
    const now = this.#nowMs();
    const { rate, burst } = this.#limits;
    this.#tokens = Math.min(burst, this.#tokens + ((now - this.#filledMs) / 1000) * rate);
    this.#filledMs = now;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}
