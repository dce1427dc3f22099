import { stalenessWeight } from '../staleness/staleness.ts';
import type { AsyncPlan, AsyncRound, ReferenceTerm } from './async-plan.ts';

/**
 * FedAsync, arXiv:1903.03934, algorithm 1: `x <- (1 - a) x + a (base + update)`, `a = mixing s(staleness)`, one update after the
 * other; here as one step from `x` by `a (update + base - x)` or, for more updates than one, what their steps come to. The base is
 * the model that the client trained from, so a stale update also pulls back towards it.
 * @param mixing in (0, 1], the paper's alpha
 */
export function planFedAsync(mixing: number, { version, members, stalenessRule }: AsyncRound): AsyncPlan {
  if (!(mixing > 0 && mixing <= 1)) throw new RangeError(`mixing: ${mixing}, expected in (0, 1]`);
  const shares = members.map(({ staleness }) => mixing * stalenessWeight(stalenessRule, staleness));
  // What later updates leave of update i.
  const parts = new Array<number>(members.length);
  let left = 1;
  for (let i = members.length - 1; i >= 0; i--) {
    parts[i] = left * shares[i];
    left *= 1 - shares[i];
  }
  // Not 1 - left, which rounds otherwise than the parts: a weight could come out above one.
  const sum = parts.reduce((total, part) => total + part, 0);
  const stepScale = Math.min(1, sum);
  const weights = parts.map((part) => part / sum);
  const models = new Map<number, number>();
  members.forEach(({ staleness }, i) => {
    if (staleness === 0) return;
    models.set(version - staleness, (models.get(version - staleness) ?? 0) + weights[i]);
    models.set(version, (models.get(version) ?? 0) - weights[i]);
  });
  const references = [...models]
    .sort(([a], [b]) => a - b)
    .map(([model, weight]): ReferenceTerm => ({ kind: 'model', version: model, weight }));
  return { weights, references, stepScale, keepsCache: false };
}
