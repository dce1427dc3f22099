import type { z } from 'zod';
import { FlError } from '../core/errors.ts';

/** What one error says at most: it goes into answers, logs and records. */
const mostIssues = 5;
const mostCharacters = 500;

/**
 * What a schema makes of a value from outside.
 * @param code of the error
 * @param whole what a fault of the value itself is said of
 * @throws {FlError} naming the first few fields that do not fit, and what was expected of them
 */
export function parseAs<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  code: string,
  whole: string,
): z.output<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issues = result.error.issues
    .slice(0, mostIssues)
    .map(({ path, message }) => `${path.join('.').slice(0, 100) || whole}: ${message}`.slice(0, mostCharacters / 2));
  throw new FlError(code, issues.join('; ').slice(0, mostCharacters).toWellFormed(), { cause: result.error });
}
