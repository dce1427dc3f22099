import { isObject } from '../iam/json-server.ts';
import { type database, runAction } from './dynalite.ts';
import { validationError } from './errors.ts';
import type { Store } from './store.ts';
import type { Table } from './table.ts';
import { itemPrefix, within } from './unit-of-work.ts';

/** DynamoDB leaves alone what expired longer ago than this: more likely a wrong unit than an old item. */
const oldestSeconds = 5 * 365 * 24 * 3600;

/**
 * Deletes the items whose time to live has passed, index entries included; costs no write units, as on AWS.
 * @returns how many were deleted
 */
export async function sweepExpired(store: Store, tables: readonly Table[], nowMs: number): Promise<number> {
  let deleted = 0;
  for (const { description, ttlAttribute } of tables) {
    if (ttlAttribute === undefined) continue;
    for await (const item of store.level.values(within(itemPrefix(description.TableName), {}))) {
      if (isExpired(item, ttlAttribute, nowMs))
        deleted += await deleteIfStillExpired(store, description.TableName, item);
    }
  }
  return deleted;

  async function deleteIfStillExpired(from: Store, table: string, seen: unknown): Promise<number> {
    return from.lock.run(async () => {
      const work = from.begin();
      const found = from.tables.get(table);
      if (!found || !isItem(seen)) throw validationError(`table ${table} holds something that is not an item`);
      const key = Object.fromEntries(found.KeySchema.map(({ AttributeName: name }) => [name, seen[name]]));
      // The scan read a snapshot: whoever wrote since may have prolonged the item's life.
      const { Item: current } = await runAction('getItem', work, { TableName: table, Key: key });
      if (JSON.stringify(current) !== JSON.stringify(seen)) return 0;
      await runAction('deleteItem', work, { TableName: table, Key: key });
      await work.commit();
      return 1;
    });
  }
}

/** True if `attribute` is a number of epoch seconds that has passed, but not by more than five years. */
export function isExpired(item: unknown, attribute: string, nowMs: number): boolean {
  if (!isItem(item) || typeof item[attribute]?.N !== 'string') return false;
  const age = nowMs / 1000 - Number(item[attribute].N);
  return age >= 0 && age <= oldestSeconds;
}

function isItem(value: unknown): value is Parameters<typeof database.createKey>[0] {
  return isObject(value) && Object.values(value).every(isObject);
}
