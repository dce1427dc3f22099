import { Readable } from 'node:stream';
import {
  type Callback,
  database,
  type KeySpace,
  type Level,
  type LevelWrite,
  type Range,
  type StoreView,
  type TableDescription,
} from './dynalite.ts';
import { resourceNotFound } from './errors.ts';
import { dueKey, expiryOf } from './expiry.ts';

export const itemPrefix = (table: string) => `item-${table}~`;
/** The table of an item's key; undefined for the key of anything else. */
export const tableOfItemKey = (key: string) => /^item-([^~]+)~/.exec(key)?.[1];
const indexPrefix = (type: string, table: string, index: string) => `index-${type.toLowerCase()}~${table}~${index}~`;

interface Write {
  readonly value: unknown;
  readonly kind: 'item' | 'index' | 'record';
}

/**
 * The database as one request sees it: reads fall through to LevelDB, writes stay here until `commit` hands them over
 * as one batch. LevelDB writes a batch in one log record, so an item, its index entries and a whole
 * transaction are either on disk or not, also after kill -9.
 */
export class UnitOfWork implements StoreView {
  readonly options: StoreView['options'] = { maxItemSize: 400 * 1024, createTableMs: 0 };
  readonly #level: Level;
  readonly #tables: ReadonlyMap<string, TableDescription>;
  readonly #ttlAttributes: ReadonlyMap<string, string>;
  readonly #writes = new Map<string, Write>();
  readonly #before = new Map<string, unknown>();

  /** @param ttlAttributes by table: the attribute with the epoch seconds at which an item runs out */
  constructor(level: Level, tables: ReadonlyMap<string, TableDescription>, ttlAttributes: ReadonlyMap<string, string>) {
    this.#level = level;
    this.#tables = tables;
    this.#ttlAttributes = ttlAttributes;
  }

  /** @throws {AwsJsonError} ResourceNotFoundException */
  tableNamed(name: string): TableDescription {
    const table = this.#tables.get(name);
    if (!table) throw resourceNotFound(name);
    return table;
  }

  getTable(name: string, checkStatus: boolean | Callback<TableDescription>, done?: Callback<TableDescription>): void {
    const reply = typeof checkStatus === 'function' ? checkStatus : done;
    const table = this.#tables.get(name);
    if (table) reply?.(null, table);
    else reply?.(resourceNotFound(name));
  }

  getItemDb(table: string): KeySpace {
    return this.#keySpace(itemPrefix(table), 'item', this.#ttlAttributes.get(table));
  }

  getIndexDb(type: string, table: string, index: string): KeySpace {
    return this.#keySpace(indexPrefix(type, table, index), 'index');
  }

  /** Adds a record of our own that runs out, such as a transaction's token. */
  putRecord(key: string, value: { readonly untilMs: number; readonly [field: string]: unknown }): void {
    this.#writes.set(key, { value, kind: 'record' });
    this.#writes.set(dueKey(value.untilMs / 1000, key), { value: true, kind: 'record' });
  }

  removeRecord(key: string): void {
    this.#writes.set(key, { value: undefined, kind: 'record' });
  }

  /** Bytes of all items written. */
  writtenBytes(): number {
    let total = 0;
    for (const { value, kind } of this.#writes.values()) {
      if (kind === 'item' && value !== undefined) total += database.itemSize(value);
    }
    return total;
  }

  /** 1 unit for each started KB of the larger of old and new item, and of each index entry; a removed entry counts 1. */
  writeUnits(): number {
    let units = 0;
    for (const [key, { value, kind }] of this.#writes) {
      if (kind === 'index') units += unitsOf(value);
      if (kind === 'item') units += Math.max(unitsOf(value), unitsOf(this.#before.get(key)));
    }
    return units;
  }

  /** Units of the items alone, as a check that writes nothing costs. */
  itemUnits(): number {
    let units = 0;
    for (const [key, { kind }] of this.#writes) if (kind === 'item') units += unitsOf(this.#before.get(key));
    return units;
  }

  async commit(): Promise<void> {
    const batch = [...this.#writes].map(
      ([key, { value }]): LevelWrite => (value === undefined ? { type: 'del', key } : { type: 'put', key, value }),
    );
    if (batch.length > 0) await this.#level.batch(batch);
  }

  #keySpace(prefix: string, kind: 'item' | 'index', ttlAttribute?: string): KeySpace {
    const write = (key: string, value: unknown, done: Callback<void>) => {
      this.#writes.set(prefix + key, { value, kind });
      const expiry = ttlAttribute === undefined ? undefined : expiryOf(value, ttlAttribute);
      if (expiry !== undefined) this.#writes.set(dueKey(expiry, prefix + key), { value: true, kind: 'record' });
      done(null);
    };
    return {
      get: (key, done) => this.#get(prefix + key, done),
      put: write,
      del: (key, done) => write(key, undefined, done),
      // The front's write lock is held already.
      lock: (_key, enter) => enter((done) => done),
      createValueStream: (range) => Readable.from(this.#level.values(within(prefix, range))),
    };
  }

  #get(key: string, done: Callback<unknown>): void {
    const pending = this.#writes.get(key);
    if (pending) {
      done(null, pending.value);
      return;
    }
    // An action that throws in its callback must fail its request and not the process: hence the catch after then.
    this.#level
      .get(key)
      .then((value) => {
        this.#before.set(key, value);
        done(null, value);
      })
      .catch((error: unknown) => done(error));
  }
}

function unitsOf(value: unknown): number {
  return value === undefined ? 1 : database.capacityUnits(value, false, false);
}

/** dynalite's keys are hexadecimal digits, `/` and `~`: all of them sort before U+00FF. */
export function within(prefix: string, range: Range): Range {
  const { gt, gte, lt, lte } = range;
  const from = gte !== undefined ? { gte: prefix + gte } : gt !== undefined ? { gt: prefix + gt } : { gte: prefix };
  const to =
    lte !== undefined ? { lte: prefix + lte } : lt !== undefined ? { lt: prefix + lt } : { lt: `${prefix}\xff` };
  return { ...from, ...to, reverse: range.reverse ?? false, limit: range.limit ?? -1 };
}
