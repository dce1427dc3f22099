import { isObject } from '../iam/json-server.ts';

/** DynamoDB leaves alone what expired longer ago than this: more likely a wrong unit than an old item. */
const oldestSeconds = 5 * 365 * 24 * 3600;
const digits = 12;

/** What runs out is named a second time under these keys, in the order in which it does: a sweep reads what is due, and not the tables. */
export const duePrefix = 'due~';

/** @param key of the record that runs out at `seconds`, in epoch seconds from 0 to 10^12 - 1 */
export function dueKey(seconds: number, key: string): string {
  return `${duePrefix}${padded(Math.ceil(seconds))}~${key}`;
}

/** The key of the record that a due key names. */
export function keyOfDue(due: string): string {
  return due.slice(duePrefix.length + digits + 1);
}

/** Range, within `duePrefix`, of all that has run out. */
export function dueUntil(nowMs: number) {
  return { lt: padded(Math.floor(nowMs / 1000) + 1) };
}

/** When DynamoDB may delete an item, in epoch seconds; undefined if it never does. */
export function expiryOf(item: unknown, attribute: string): number | undefined {
  const value = isObject(item) ? item[attribute] : undefined;
  if (!isObject(value) || typeof value.N !== 'string') return undefined;
  const seconds = Number(value.N);
  return seconds >= 0 && seconds <= 10 ** digits - 1 ? seconds : undefined;
}

/** True if `attribute` is a number of epoch seconds that has passed, but not by more than five years. */
export function isExpired(item: unknown, attribute: string, nowMs: number): boolean {
  const expiry = expiryOf(item, attribute);
  const age = nowMs / 1000 - (expiry ?? Number.POSITIVE_INFINITY);
  return age >= 0 && age <= oldestSeconds;
}

const padded = (seconds: number) => String(seconds).padStart(digits, '0');
