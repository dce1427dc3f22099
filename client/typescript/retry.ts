import { FlError } from '../../shared/core/errors.ts';

export interface RetryPolicy {
  /** Tries in all, the first included. */
  readonly attempts: number;
  /** Upper end of the first pause; it doubles with every try. */
  readonly baseMs: number;
  readonly capMs: number;
}

export const defaultRetryPolicy: RetryPolicy = { attempts: 6, baseMs: 200, capMs: 20_000 };

/** Time and chance as the client uses them; tests bring their own. */
export interface Surroundings {
  now(): number;
  /** Uniform in [0, 1). */
  random(): number;
  /** @throws the signal's reason as soon as it aborts */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export const realSurroundings: Surroundings = {
  now: () => Date.now(),
  random: () => Math.random(),
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const abort = () => {
        clearTimeout(timer);
        reject(signal?.reason);
      };
      const timer = setTimeout(() => {
        signal?.removeEventListener('abort', abort);
        resolve();
      }, ms);
      signal?.addEventListener('abort', abort, { once: true });
    }),
};

/**
 * Repeats what failed with a passing fault (`retry: 'now'`), with full jitter: a pause uniform in [0, min(cap, base * 2^n)),
 * after what the server asked for. Marc Brooker, "Exponential backoff and jitter", AWS Architecture Blog, 2015.
 * @param attempt told how many tries came before it
 * @throws what the last try threw
 */
export async function withRetries<T>(
  attempt: (triesBefore: number) => Promise<T>,
  policy: RetryPolicy,
  surroundings: Surroundings,
  signal?: AbortSignal,
): Promise<T> {
  for (let tries = 0; ; tries++) {
    signal?.throwIfAborted();
    try {
      return await attempt(tries);
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof FlError) || error.retry !== 'now' || tries + 1 >= policy.attempts) throw error;
      const ceiling = Math.min(policy.capMs, policy.baseMs * 2 ** tries);
      await surroundings.sleep((error.retryAfterMs ?? 0) + surroundings.random() * ceiling, signal);
    }
  }
}
