import { setTimeout as delay } from 'node:timers/promises';

/** The time that executions live in; a test brings its own. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Resolves after `ms`; rejects as soon as the signal aborts. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

/** A timer longer than this overflows Node's and fires at once. */
const longestTimerMs = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  async sleep(ms, signal) {
    for (let left = ms; left > 0; left -= longestTimerMs) {
      await delay(Math.min(left, longestTimerMs), undefined, { signal });
    }
  },
};

/** Sleeps; an abort throws the signal's reason. */
export async function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  if (ms <= 0) return;
  try {
    await clock.sleep(ms, signal);
  } catch (cause) {
    signal.throwIfAborted();
    throw cause;
  }
}

/** The promise's outcome, or the signal's reason if that comes first; what the promise stands for goes on unheard. */
export function interruptible<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}

/** Runs with a signal that aborts with `expired` after `ms`, or with the outer signal. */
export async function within<T>(
  clock: Clock,
  ms: number | undefined,
  outer: AbortSignal,
  expired: () => Error,
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  if (ms === undefined) return run(outer);
  const timer = new AbortController();
  const deadline = new AbortController();
  const signal = AbortSignal.any([outer, deadline.signal]);
  clock.sleep(Math.max(0, ms), timer.signal).then(
    () => deadline.abort(expired()),
    () => {},
  );
  try {
    return await interruptible(run(signal), signal);
  } finally {
    timer.abort();
  }
}
