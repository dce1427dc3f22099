import { realSurroundings } from '../../client/typescript/retry.ts';
import type { FleetClock } from './clock.ts';

/** Real time: the activities run side by side, and the first failure is everyone's. */
export const realClock: FleetClock = {
  now: realSurroundings.now,
  sleep: realSurroundings.sleep,
  run: async (activities) => {
    await Promise.all(activities.map((activity) => activity()));
  },
};
