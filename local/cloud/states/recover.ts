import { pause } from './clock.ts';
import type { Recovery, Retrier } from './definition.ts';
import { conclude } from './evaluate.ts';
import { failureOf, Interrupted, matchesError, type StateFailure } from './failure.ts';
import type { JsonObject } from './json.ts';
import type { Outcome, Visit } from './run.ts';

/**
 * Runs a state with its Retry and Catch: each retrier counts its own attempts, then the first catcher that matches takes over.
 * @throws {StateFailure} that nobody caught
 * @throws {Interrupted} at once if the execution is torn down
 */
export async function withRecovery(
  first: Visit,
  { retry, catchers }: Recovery,
  attempt: (visit: Visit) => Promise<Outcome>,
): Promise<Outcome> {
  const { surroundings, billed } = first.scope.run;
  const attempts = retry.map(() => 0);
  let visit = first;
  for (;;) {
    let failure: StateFailure;
    try {
      return await attempt(visit);
    } catch (cause) {
      if (cause instanceof Interrupted) throw cause;
      failure = failureOf(cause);
    }
    const matching = retry.findIndex(({ errorEquals }) => matchesError(errorEquals, failure.error));
    const retrier = retry[matching];
    if (retrier !== undefined && attempts[matching] < retrier.maxAttempts) {
      await pause(surroundings.clock, delayMs(retrier, attempts[matching]), visit.scope.signal);
      attempts[matching] += 1;
      visit = { ...visit, retryCount: visit.retryCount + 1 };
      if (billed) surroundings.meter.count('states.transitions');
      continue;
    }
    const catcher = catchers.find(({ errorEquals }) => matchesError(errorEquals, failure.error));
    if (catcher === undefined) throw failure;
    const errorOutput: JsonObject = {
      Error: failure.error,
      ...(failure.reason === undefined ? {} : { Cause: failure.reason }),
    };
    return conclude(visit, catcher, catcher.next, errorOutput, { errorOutput });
  }
}

/** interval * rate^attempt, at most MaxDelaySeconds; full jitter draws uniformly below that. */
function delayMs({ intervalSeconds, backoffRate, maxDelaySeconds, jitter }: Retrier, attempt: number): number {
  const seconds = Math.min(
    intervalSeconds * backoffRate ** attempt,
    maxDelaySeconds ?? Number.POSITIVE_INFINITY,
    99_999_999,
  );
  return (jitter ? Math.random() * seconds : seconds) * 1000;
}
