import type { z } from 'zod';

/** Every issue of a schema's error in one line. */
export function issuesText({ issues }: z.ZodError): string {
  return issues.map(({ path, message }) => (path.length > 0 ? `${path.join('.')}: ${message}` : message)).join('; ');
}
