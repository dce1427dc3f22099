/** When to try again: `never` (the request is wrong), `later` (the state will change), `now` (a passing fault). */
export type Retry = 'never' | 'later' | 'now';

export interface ErrorDetails {
  readonly retry?: Retry;
  /** Milliseconds to wait before the next try, where that is known. */
  readonly retryAfterMs?: number;
  readonly cause?: unknown;
}

/** Every error that Tributary raises on purpose: `code` is stable and meant for programs, `message` for people. */
export class FlError extends Error {
  override readonly name = 'FlError';
  readonly code: string;
  readonly retry: Retry;
  readonly retryAfterMs: number | undefined;

  constructor(code: string, message: string, { retry = 'never', retryAfterMs, cause }: ErrorDetails = {}) {
    super(`[${code}] ${message}`, { cause });
    this.code = code;
    this.retry = retry;
    this.retryAfterMs = retryAfterMs;
  }
}
