import type { FleetClock } from './clock.ts';

interface Sleeper {
  readonly wakesAt: number;
  readonly order: number;
  readonly wake: () => void;
  readonly fail: (reason: unknown) => void;
  readonly signal: AbortSignal | undefined;
}

/**
 * Virtual time: exactly one activity runs at any moment, the one whose time has come, until it sleeps again. Between
 * two turns `settle` lets everything that the last one set off come to its end, so nothing depends on real time.
 */
export function virtualClock(settle: () => Promise<void>): FleetClock {
  const sleepers: Sleeper[] = [];
  let nowMs = 0;
  let order = 0;
  let running = 0;
  let parked: (() => void) | undefined;

  const stop = () => {
    running--;
    parked?.();
  };
  const sleep = (ms: number, signal?: AbortSignal) =>
    new Promise<void>((wake, fail) => {
      if (signal?.aborted) return fail(signal.reason);
      sleepers.push({ wakesAt: nowMs + Math.max(0, ms), order: order++, wake, fail, signal });
      stop();
    });
  const allParked = () =>
    new Promise<void>((resolve) => {
      parked = () => {
        if (running === 0) resolve();
      };
      parked();
    });

  const run = async (activities: readonly (() => Promise<void>)[]) => {
    const failures: unknown[] = [];
    for (const activity of activities) {
      // Every activity's first turn comes like all the others: alone, and in order.
      running++;
      sleep(0)
        .then(activity)
        .catch((error: unknown) => failures.push(error))
        .finally(stop);
    }
    for (;;) {
      await allParked();
      if (failures.length > 0) throw failures[0];
      await settle();
      sleepers.sort((a, b) => a.wakesAt - b.wakesAt || a.order - b.order);
      const next = sleepers.shift();
      if (!next) return;
      nowMs = next.wakesAt;
      running++;
      if (next.signal?.aborted) next.fail(next.signal.reason);
      else next.wake();
    }
  };
  return { now: () => nowMs, sleep, run };
}
