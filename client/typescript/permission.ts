import type { TributaryClient } from './client.ts';
import type { ParticipateOptions } from './participation.ts';
import type { Step } from './schedule.ts';

/** The first pause before the schedule is asked again; it doubles with every no. */
const firstPauseMs = 10_000;
const longestPauseMs = 10 * 60_000;
/** Between two looks at the device while it trains. */
const lookMs = 15_000;

/** Waits until the schedule permits a step. @returns false if `untilMs`, epoch milliseconds, came first */
export async function permitted(
  { surroundings }: TributaryClient,
  step: Step,
  { schedule, signal, onEvent }: ParticipateOptions,
  untilMs = Number.POSITIVE_INFINITY,
): Promise<boolean> {
  for (let noes = 0; schedule; noes++) {
    const answer = await schedule(step);
    if (answer.train) return true;
    const leftMs = untilMs - surroundings.now();
    if (leftMs <= 0) return false;
    const ceiling = Math.min(longestPauseMs, firstPauseMs * 2 ** noes);
    // From half of it up, so that devices that a tariff's hour lets in do not all come at once.
    const ms = Math.min(leftMs, (ceiling * (1 + surroundings.random())) / 2);
    onEvent?.({ kind: 'waiting', ms, code: 'schedule', reason: answer.reason });
    await surroundings.sleep(ms, signal);
  }
  return true;
}

class NoLonger extends Error {
  override readonly name = 'NoLonger';
}

/**
 * Runs a training for as long as the schedule permits it; then its signal aborts.
 * @returns what it gave, or why it was stopped
 */
export async function whilePermitted<T>(
  { surroundings }: TributaryClient,
  { schedule, signal }: ParticipateOptions,
  train: (signal: AbortSignal | undefined) => Promise<T>,
): Promise<{ readonly done: T } | { readonly stopped: string }> {
  if (!schedule) return { done: await train(signal) };
  const stop = new AbortController();
  const ended = new AbortController();
  const watch = async () => {
    for (;;) {
      await surroundings.sleep(lookMs, ended.signal);
      const answer = await schedule('continue');
      if (!answer.train) return stop.abort(new NoLonger(answer.reason));
    }
  };
  const watching = watch().catch((error: unknown) => stop.abort(error));
  try {
    return { done: await train(signal ? AbortSignal.any([signal, stop.signal]) : stop.signal) };
  } catch (error) {
    if (error instanceof NoLonger && !signal?.aborted) return { stopped: error.message };
    throw error;
  } finally {
    ended.abort();
    await watching;
  }
}
