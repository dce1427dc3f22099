import type { JsonObject } from '../iam/json-server.ts';
import { localAccount, type Meter } from '../service.ts';
import { type ActionName, type Checked, runAction, type TableDescription } from './dynalite.ts';
import { translated, validationError } from './errors.ts';
import type { Store } from './store.ts';
import type { Table } from './table.ts';
import type { UnitOfWork } from './unit-of-work.ts';

/** What one call may use. */
export interface Front {
  readonly store: Store;
  readonly tables: readonly Table[];
  readonly meter: Meter;
  nowMs(): number;
  /** @throws {AccessDenied} unless the caller's role allows `action` on the table, or on its index */
  allow(action: string, target: Target): void;
}

export interface Target {
  readonly table: string;
  readonly index?: string;
  /** Values of the partition key that the call touches: condition key `dynamodb:LeadingKeys`. */
  readonly leadingKeys?: readonly string[];
}

export type Operation = (front: Front, input: JsonObject) => Promise<JsonObject>;

export function arnOf({ table, index }: Target): string {
  const { partition, region, accountId } = localAccount;
  const arn = `arn:${partition}:dynamodb:${region}:${accountId}:table/${table}`;
  return index === undefined ? arn : `${arn}/index/${index}`;
}

export function textOf(data: Checked | JsonObject, field: string): string {
  const value = data[field];
  if (typeof value === 'string') return value;
  throw validationError(`${field} is ${JSON.stringify(value)}, expected a string`);
}

/** The item's primary key; attributes that the item lacks are left out. */
export function keyOf(table: TableDescription, item: JsonObject): JsonObject {
  const names = table.KeySchema.map(({ AttributeName }) => AttributeName);
  return Object.fromEntries(names.filter((name) => item[name] !== undefined).map((name) => [name, item[name]]));
}

/** Runs one of dynalite's actions inside `work`. @throws {AwsJsonError} as DynamoDB would */
export async function perform(action: ActionName, work: UnitOfWork, data: Checked): Promise<Checked> {
  try {
    return await runAction(action, work, data);
  } catch (error) {
    throw translated(error);
  }
}
