import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync, type SQLInputValue, type SQLOutputValue } from 'node:sqlite';

type Row = Record<string, SQLOutputValue>;

const schema = `
  CREATE TABLE IF NOT EXISTS objects (bucket TEXT, key BLOB, record TEXT NOT NULL, PRIMARY KEY (bucket, key)) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS uploads (id TEXT PRIMARY KEY, bucket TEXT NOT NULL, key BLOB NOT NULL, record TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS parts (upload TEXT, number INTEGER, record TEXT NOT NULL, PRIMARY KEY (upload, number)) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS outbox (id INTEGER PRIMARY KEY AUTOINCREMENT, queue TEXT NOT NULL, message TEXT NOT NULL);
`;

/**
 * The gateway's records: SQLite, because an object and its event must appear in one step and survive kill -9.
 * Keys are BLOBs: they compare as UTF-8 bytes, which is S3's listing order.
 */
export class Database {
  readonly #sqlite: DatabaseSync;
  readonly #statements = new Map<string, ReturnType<DatabaseSync['prepare']>>();

  /** A commit survives a kill; the last ones may not survive a power cut. @throws {Error} if another process holds the folder */
  constructor(dir: string) {
    mkdirSync(dir, { recursive: true });
    this.#sqlite = new DatabaseSync(join(dir, 'catalog.sqlite'));
    try {
      // One process at a time: the names of body files being written are known to it alone.
      this.#sqlite.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;');
      this.#sqlite.exec(schema);
    } catch (cause) {
      this.#sqlite.close();
      throw new Error(`s3: cannot open the catalog in ${dir}; is another local cloud running on it?`, { cause });
    }
  }

  run(sql: string, ...values: SQLInputValue[]): void {
    this.#statement(sql).run(...values);
  }

  first(sql: string, ...values: SQLInputValue[]): Row | undefined {
    return this.#statement(sql).get(...values);
  }

  all(sql: string, ...values: SQLInputValue[]): Row[] {
    return this.#statement(sql).all(...values);
  }

  /** All of `change` or nothing of it. */
  transaction<T>(change: () => T): T {
    this.#sqlite.exec('BEGIN IMMEDIATE');
    try {
      const result = change();
      this.#sqlite.exec('COMMIT');
      return result;
    } catch (error) {
      this.#sqlite.exec('ROLLBACK');
      throw error;
    }
  }

  close(): void {
    this.#statements.clear();
    this.#sqlite.close();
  }

  #statement(sql: string): ReturnType<DatabaseSync['prepare']> {
    let statement = this.#statements.get(sql);
    if (!statement) {
      statement = this.#sqlite.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }
}

export function textOf(row: Row, column: string): string {
  const value = row[column];
  if (typeof value !== 'string') throw new TypeError(`catalog: column ${column} is not text`);
  return value;
}

export function bytesOf(row: Row, column: string): Buffer {
  const value = row[column];
  if (!(value instanceof Uint8Array)) throw new TypeError(`catalog: column ${column} is not a blob`);
  return Buffer.from(value);
}

export function integerOf(row: Row, column: string): number {
  const value = row[column];
  if (typeof value !== 'number') throw new TypeError(`catalog: column ${column} is not an integer`);
  return value;
}
