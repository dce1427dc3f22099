import { ApiError } from './api-error.ts';

/** One page of a list, and the token of the next if there is one. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly nextToken: string | undefined;
}

/**
 * The page after the entry whose key the token holds. Keys sort by code units in the order of the list, so that entries which come
 * in between two calls neither repeat nor skip others.
 * @throws {ApiError} InvalidToken
 */
export function pageOf<T>(
  items: readonly T[],
  keyOf: (item: T) => string,
  size: number,
  token: string | undefined,
): Page<T> {
  const after = token === undefined ? undefined : keyIn(token);
  const rest = after === undefined ? items : items.filter((item) => keyOf(item) > after);
  const page = rest.slice(0, size);
  const last = page.at(-1);
  const more = rest.length > page.length && last !== undefined;
  return { items: page, nextToken: more ? Buffer.from(`after:${keyOf(last)}`).toString('base64url') : undefined };
}

function keyIn(token: string): string {
  const text = Buffer.from(token, 'base64url').toString();
  if (!text.startsWith('after:')) throw new ApiError('InvalidToken', `Invalid Token: '${token.slice(0, 200)}'`);
  return text.slice('after:'.length);
}
