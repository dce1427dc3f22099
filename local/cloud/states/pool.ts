import { Interrupted } from './failure.ts';

/**
 * Runs one job for each item, at most `limit` at once, in order of start. The first failure interrupts the others and is thrown
 * once all have stopped.
 * @returns the jobs' results in the order of the items
 */
export async function mapConcurrently<T, R>(
  items: readonly T[],
  limit: number,
  outer: AbortSignal,
  job: (item: T, index: number, signal: AbortSignal) => Promise<R>,
): Promise<R[]> {
  const siblings = new AbortController();
  const signal = AbortSignal.any([outer, siblings.signal]);
  const results = new Array<R>(items.length);
  let failure: { readonly cause: unknown } | undefined;
  let next = 0;
  const worker = async () => {
    while (next < items.length && failure === undefined) {
      const index = next++;
      try {
        signal.throwIfAborted();
        results[index] = await job(items[index], index, signal);
      } catch (cause) {
        failure ??= { cause };
        siblings.abort(new Interrupted('sibling-failed'));
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
  if (failure !== undefined) throw failure.cause;
  return results;
}
