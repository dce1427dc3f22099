import { z } from 'zod';
import type { InvocationResult } from './invocation.ts';

const reportSchema = z.looseObject({
  batchItemFailures: z.array(z.looseObject({ itemIdentifier: z.string().min(1) })).nullish(),
});

/**
 * The ids that stay in the queue after an invocation. An error, or a report that Lambda would call invalid (no identifier, an empty one,
 * one that is not of the batch), fails the whole batch. "Implementing partial batch responses", AWS Lambda developer guide.
 */
export function failedItems(
  result: InvocationResult,
  ids: readonly string[],
  reportsItemFailures: boolean,
): ReadonlySet<string> {
  const all = new Set(ids);
  if ('functionError' in result) return all;
  if (!reportsItemFailures || result.payload === null) return new Set();
  const report = reportSchema.safeParse(result.payload);
  if (!report.success) return all;
  const failed = new Set((report.data.batchItemFailures ?? []).map(({ itemIdentifier }) => itemIdentifier));
  return ids.filter((id) => failed.has(id)).length === failed.size ? failed : all;
}
