import type { KeyObject } from 'node:crypto';
import { checkAccounting } from './accounting.ts';
import { checkChain, checkReplays } from './chain.ts';
import type { Evidence } from './evidence.ts';
import { checkLeftovers } from './leftovers.ts';
import { checkModels } from './recomputation.ts';
import { checkSeals } from './seals.ts';

/** Everything that is wrong with what a run has left, one line each. */
export function findViolations(
  evidence: Evidence,
  { target, sealKey }: { readonly target: number; readonly sealKey: KeyObject },
): string[] {
  return [
    ...checkAccounting(evidence),
    ...checkChain(evidence),
    ...checkReplays(evidence),
    ...checkModels(evidence, target),
    ...checkSeals(evidence, sealKey),
    ...checkLeftovers(evidence),
  ];
}
