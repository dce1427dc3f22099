import { mkdir } from 'node:fs/promises';
import { isObject } from '../iam/json-server.ts';
import { database, type Level, type TableDescription } from './dynalite.ts';
import type { Table } from './table.ts';
import { indexExpiries } from './time-to-live.ts';
import { UnitOfWork } from './unit-of-work.ts';
import { WriteLock } from './write-lock.ts';

/** The tables on disk: one LevelDB, one writer at a time. */
export interface Store {
  readonly level: Level;
  readonly lock: WriteLock;
  readonly tables: ReadonlyMap<string, TableDescription>;
  /** By table, where it has one: the attribute with the epoch seconds at which an item runs out. */
  readonly ttlAttributes: ReadonlyMap<string, string>;
  begin(): UnitOfWork;
  close(): Promise<void>;
}

/**
 * Opens the store and creates the tables that it does not hold yet. A table that left the template keeps its data.
 * @throws {Error} if another process has the directory open, or a stored table has another schema
 */
export async function openStore(dir: string, tables: readonly Table[]): Promise<Store> {
  await mkdir(dir, { recursive: true });
  const level = database.create({ path: dir }).db;
  try {
    await level.open();
  } catch (cause) {
    throw new Error(`cannot open the tables in ${dir}: ${reasonOf(cause)}`, { cause });
  }
  const descriptions = new Map<string, TableDescription>();
  const ttlAttributes = new Map<string, string>();
  try {
    for (const table of tables) {
      const { TableName: name } = table.description;
      if (descriptions.has(name)) throw new RangeError(`table ${name} appears twice`);
      descriptions.set(name, await createUnlessStored(level, table, dir));
      await indexUnlessDone(level, name, table.ttlAttribute);
      if (table.ttlAttribute !== undefined) ttlAttributes.set(name, table.ttlAttribute);
    }
  } catch (error) {
    await level.close();
    throw error;
  }
  return {
    level,
    lock: new WriteLock(),
    tables: descriptions,
    ttlAttributes,
    begin: () => new UnitOfWork(level, descriptions, ttlAttributes),
    close: () => level.close(),
  };
}

async function createUnlessStored(level: Level, table: Table, dir: string): Promise<TableDescription> {
  const key = `table~${table.description.TableName}`;
  const stored = await level.get(key);
  if (stored === undefined) {
    await level.batch([
      { type: 'put', key, value: { schema: table.schema, createdAt: table.description.CreationDateTime } },
    ]);
    return table.description;
  }
  if (!isObject(stored) || stored.schema !== table.schema) {
    const found = isObject(stored) ? stored.schema : stored;
    throw new Error(
      `table ${table.description.TableName} in ${dir} was created with another schema: ${found}, now ${table.schema}; ` +
        'delete the directory to start anew',
    );
  }
  return { ...table.description, CreationDateTime: stored.createdAt };
}

/** Items that were written while the table had another attribute for their expiry, or none, are found once. */
async function indexUnlessDone(level: Level, table: string, attribute: string | undefined): Promise<void> {
  const key = `expiries~${table}`;
  if ((await level.get(key)) === attribute) return;
  if (attribute !== undefined) await indexExpiries(level, table, attribute);
  await level.batch([attribute === undefined ? { type: 'del', key } : { type: 'put', key, value: attribute }]);
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}
