import type { JsonObject } from '../iam/json-server.ts';
import { type ActionName, type Checked, validationOf, validations } from './dynalite.ts';
import { translated, validationError } from './errors.ts';

const limits = { options: { maxItemSize: 400 * 1024 } };

/**
 * Checks a request as dynalite does, and first refuses parameters that it would drop without a word.
 * @param also parameters that the front understands itself; they are not in the result
 * @throws {AwsJsonError} ValidationException or SerializationException
 */
export function checkRequest(action: ActionName, input: JsonObject, also: readonly string[] = []): Checked {
  const { types, custom } = validationOf(action);
  const data: Checked = {};
  for (const [name, value] of Object.entries(input)) {
    if (holdsNull(value)) throw validationError(`${name} holds null where a value is expected`);
    if (Object.hasOwn(types, name)) data[name] = value;
    else if (!also.includes(name))
      throw validationError(`the local cloud does not know parameter ${name} of ${action}`);
  }
  try {
    const checked = validations.checkTypes(data, types);
    validations.checkValidations(checked, types, custom, limits);
    return checked;
  } catch (error) {
    throw translated(error);
  }
}

/** SDKs write null for what is left out, but nothing within it; dynalite takes it for an object. */
function holdsNull(value: unknown): boolean {
  return (
    typeof value === 'object' &&
    value !== null &&
    Object.values(value).some((inner) => inner === null || holdsNull(inner))
  );
}

/** Reads an optional parameter that has a few allowed values. */
export function optionOf<const T extends string>(
  input: JsonObject,
  name: string,
  allowed: readonly T[],
): T | undefined {
  const value = input[name];
  if (value === undefined || value === null) return undefined;
  const found = allowed.find((candidate) => candidate === value);
  if (found !== undefined) return found;
  throw validationError(`${name} is ${JSON.stringify(value)}, expected one of ${allowed.join(', ')}`);
}
