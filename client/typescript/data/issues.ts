import type { z } from 'zod';

const mostIssues = 10;
const mostCharacters = 200;

/** The first issues of a schema's error in one line, of whole characters and of bounded length: it may quote a stranger's file. */
export function issuesText({ issues }: z.ZodError): string {
  return issues
    .slice(0, mostIssues)
    .map(({ path, message }) => (path.length > 0 ? `${path.join('.').slice(0, mostCharacters)}: ${message}` : message))
    .map((issue) => issue.slice(0, 2 * mostCharacters))
    .join('; ')
    .toWellFormed();
}
