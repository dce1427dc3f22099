import { join } from 'node:path';
import { openStore } from '../../../local/cloud/dynamodb/store.ts';
import { parseTable } from '../../../local/cloud/dynamodb/table.ts';
import { sweepExpired } from '../../../local/cloud/dynamodb/time-to-live.ts';
import { itemPrefix, within } from '../../../local/cloud/dynamodb/unit-of-work.ts';
import { readPlan } from '../../../local/cloud/template/read-plan.ts';
import { itemColumn, type Sample } from './sample.ts';

/** Tickets explain the past for 90 days; their lifetime comes before. */
const days = 100;

/** Items by kind that time to live leaves in the tables of a cloud that has ended, if nobody ever comes again. */
export async function agedItems({ assembly, state }: { assembly: string; state: string }): Promise<Sample> {
  const tables = await Promise.all(readPlan(assembly).tables.map(parseTable));
  const store = await openStore(join(state, 'dynamodb'), tables);
  try {
    await sweepExpired(store, Date.now() + days * 24 * 3600_000);
    const counts: Record<string, number> = {};
    for (const name of store.tables.keys()) {
      for await (const item of store.level.values(within(itemPrefix(name), {}))) {
        const column = itemColumn((item as { pk: { S: string } }).pk.S);
        counts[column] = (counts[column] ?? 0) + 1;
      }
    }
    return counts;
  } finally {
    await store.close();
  }
}
