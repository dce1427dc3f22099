import { type UsageKind, usageKinds } from '../../../shared/core/cost/prices.ts';
import type { Meter } from '../service.ts';

export type Usage = Record<UsageKind, number>;

/** A meter that can be read: what was counted since the start, by kind. */
export interface UsageMeter extends Meter {
  usage(): Usage;
}

export function createUsageMeter(): UsageMeter {
  const usage = Object.fromEntries(usageKinds.map((kind) => [kind, 0])) as Usage;
  return {
    count(kind, amount = 1) {
      usage[kind] += amount;
    },
    usage: () => ({ ...usage }),
  };
}
