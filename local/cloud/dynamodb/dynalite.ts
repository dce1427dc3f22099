import { createRequire } from 'node:module';

/**
 * The inside of dynalite 4.0, typed as far as it is used: its request checks and its actions. Its HTTP server and its
 * store are left out: they write an item and its index entries one by one, and never close an iterator.
 */

/** One attribute, e.g. `{N: '1'}`. */
export type AttributeValue = { readonly [type: string]: unknown };
export type Item = { readonly [attribute: string]: AttributeValue };

export interface TableDescription {
  readonly TableName: string;
  readonly TableArn: string;
  readonly KeySchema: readonly { readonly AttributeName: string; readonly KeyType: string }[];
  readonly [field: string]: unknown;
}

/** A request after dynalite's checks: expressions are parsed into fields that start with an underscore. */
export type Checked = { [field: string]: unknown };

export type Callback<T> = (error: unknown, value?: T) => void;

/** An ordered map under a prefix, as dynalite's actions expect it. */
export interface KeySpace {
  get(key: string, done: Callback<unknown>): void;
  put(key: string, value: unknown, done: Callback<void>): void;
  del(key: string, done: Callback<void>): void;
  /** `release` wraps the callback that ends the critical section. */
  lock(key: string, enter: (release: <C>(done: C) => C) => void): void;
  createValueStream(range: Range): NodeJS.ReadableStream;
}

export interface Range {
  readonly gt?: string;
  readonly gte?: string;
  readonly lt?: string;
  readonly lte?: string;
  readonly reverse?: boolean;
  readonly limit?: number;
}

/** What an action sees of the database. */
export interface StoreView {
  readonly options: { readonly maxItemSize: number; readonly createTableMs: number };
  getTable(name: string, checkStatus: boolean | Callback<TableDescription>, done?: Callback<TableDescription>): void;
  getItemDb(table: string): KeySpace;
  getIndexDb(type: string, table: string, index: string): KeySpace;
}

type Action = (store: StoreView, data: Checked, done: Callback<Checked>) => void;

interface Validation {
  readonly types: Readonly<Record<string, unknown>>;
  readonly custom?: unknown;
}

/** A LevelDB of JSON values. */
export interface Level {
  open(): Promise<void>;
  get(key: string): Promise<unknown>;
  batch(writes: readonly LevelWrite[]): Promise<void>;
  values(range: Range): AsyncIterable<unknown>;
  iterator(range: Range): AsyncIterable<[key: string, value: unknown]>;
  close(): Promise<void>;
}

export type LevelWrite =
  | { readonly type: 'put'; readonly key: string; readonly value: unknown }
  | { readonly type: 'del'; readonly key: string };

interface Database {
  create(options: { readonly path: string }): { readonly db: Level };
  createKey(item: Item, table: TableDescription): string;
  validateKey(key: Item, table: TableDescription): unknown;
  checkConditional(data: Checked, item: unknown): unknown;
  capacityUnits(item: unknown, isRead: boolean, isConsistent: boolean): number;
  itemSize(item: unknown): number;
}

interface Validations {
  checkTypes(data: Checked, types: Validation['types']): Checked;
  checkValidations(data: Checked, types: Validation['types'], custom: unknown, store: unknown): void;
}

const require = createRequire(import.meta.url);

export const database: Database = require('dynalite/db');
export const validations: Validations = require('dynalite/validations');

export const actionNames = [
  'batchGetItem',
  'batchWriteItem',
  'createTable',
  'deleteItem',
  'describeTable',
  'getItem',
  'putItem',
  'query',
  'scan',
  'updateItem',
] as const;
export type ActionName = (typeof actionNames)[number];

const actions = new Map<ActionName, { run: Action; validation: Validation }>(
  actionNames.map((name) => [
    name,
    { run: require(`dynalite/actions/${name}`), validation: require(`dynalite/validations/${name}`) },
  ]),
);

/** dynalite's check of a request. */
export function validationOf(name: ActionName): Validation {
  return actionOf(name).validation;
}

/** Runs one of dynalite's actions. @throws what dynalite reports: an Error with `statusCode` and `body`, or a fault */
export function runAction(name: ActionName, store: StoreView, data: Checked): Promise<Checked> {
  return new Promise((resolve, reject) => {
    actionOf(name).run(store, data, (error, value) => (error ? reject(error) : resolve(value ?? {})));
  });
}

function actionOf(name: ActionName) {
  const action = actions.get(name);
  if (!action) throw new Error(`dynalite has no action ${name}`);
  return action;
}
