import { isObject } from '../iam/json-server.ts';
import { type Level, type LevelWrite, runAction } from './dynalite.ts';
import { dueKey, duePrefix, dueUntil, expiryOf, isExpired, keyOfDue } from './expiry.ts';
import { keyOf } from './front.ts';
import type { Store } from './store.ts';
import { itemPrefix, tableOfItemKey, within } from './unit-of-work.ts';

/** Writes at once while items are named by their expiry. */
const batchSize = 1_000;

/**
 * Deletes the items whose time to live has passed, index entries included, and the records that have run out. Costs no
 * write units, as on AWS, and no more than what is due.
 * @returns how many items were deleted
 */
export async function sweepExpired(store: Store, nowMs: number): Promise<number> {
  let deleted = 0;
  for await (const [due] of store.level.iterator(within(duePrefix, dueUntil(nowMs)))) {
    if (await store.lock.run(() => takeOut(store, due, nowMs))) deleted++;
  }
  return deleted;
}

/** Deletes what is due, unless it has been prolonged meanwhile, and its entry. @returns true if that was an item */
async function takeOut(store: Store, due: string, nowMs: number): Promise<boolean> {
  const key = keyOfDue(due);
  const work = store.begin();
  const found = await store.level.get(key);
  const table = store.tables.get(tableOfItemKey(key) ?? '');
  const attribute = store.ttlAttributes.get(table?.TableName ?? '');
  const isItem = isObject(found) && table && attribute !== undefined && isExpired(found, attribute, nowMs);
  if (isItem) await runAction('deleteItem', work, { TableName: table.TableName, Key: keyOf(table, found) });
  else if (isObject(found) && Number(found.untilMs) <= nowMs) work.removeRecord(key);
  work.removeRecord(due);
  await work.commit();
  return isItem === true;
}

/** Names every item of a table by its expiry: those that were written before the table had this attribute have no such entry. */
export async function indexExpiries(level: Level, table: string, attribute: string): Promise<void> {
  let batch: LevelWrite[] = [];
  for await (const [key, item] of level.iterator(within(itemPrefix(table), {}))) {
    const expiry = expiryOf(item, attribute);
    if (expiry === undefined) continue;
    batch.push({ type: 'put', key: dueKey(expiry, key), value: true });
    if (batch.length < batchSize) continue;
    await level.batch(batch);
    batch = [];
  }
  await level.batch(batch);
}
