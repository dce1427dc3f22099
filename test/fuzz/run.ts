import fc from 'fast-check';
import { attempt, type Target } from './target.ts';

export interface Report {
  readonly accepted: number;
  readonly refused: number;
  /** The longest that one input took. */
  readonly slowestMs: number;
  /** How to see it again, where there is one. */
  readonly failure: { readonly input: Uint8Array; readonly why: string; readonly path: string | null } | undefined;
}

/** Attacks a target with so many inputs; the first that it does not withstand is made small. */
export async function attack(target: Target, options: { seed: number; runs: number; path?: string }): Promise<Report> {
  const counts = { accepted: 0, refused: 0 };
  let slowestMs = 0;
  const property = fc.asyncProperty(target.inputs, async (bytes) => {
    const startMs = performance.now();
    counts[await attempt(target, bytes)]++;
    slowestMs = Math.max(slowestMs, performance.now() - startMs);
  });
  const { seed, runs, path } = options;
  const result = await fc.check(property, { seed, numRuns: runs, path });
  const [input] = result.counterexample ?? [];
  const cause = result.errorInstance;
  const why =
    cause instanceof Error ? `${cause.message}${cause.cause instanceof Error ? `\n${cause.cause.stack}` : ''}` : '';
  return { ...counts, slowestMs, failure: input && { input, why, path: result.counterexamplePath } };
}
