import { UsageError } from './console.ts';
import { familySchema, type ModelFamily } from './model-spec.ts';
import { named } from './training-options.ts';

/** A family and its sizes from `kind,size=value,...`. @throws {UsageError} naming what is wrong */
export function familyArgument(text: string): ModelFamily {
  const value = named(text);
  // A list of one is written without a colon.
  const asList = { ...value, hidden: [value.hidden] };
  const first = familySchema.safeParse(value);
  const parsed = first.success || typeof value.hidden !== 'number' ? first : familySchema.safeParse(asList);
  if (parsed.success) return parsed.data;
  const [{ path, message }] = parsed.error.issues;
  throw new UsageError(`--family ${text}: ${path.length > 0 ? `${path.join('.')}: ` : ''}${message}`);
}
