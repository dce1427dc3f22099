import { DefinitionError, type Fields } from './fields.ts';
import type { Place } from './parse-place.ts';

/** `Next` or `End`, of which a state that others may follow has exactly one. */
export function parseStep(fields: Fields, place: Place): { readonly name: string; readonly next: string | undefined } {
  const next = fields.optionalText('Next');
  const end = fields.take('End');
  if (end !== undefined && end !== true) throw new DefinitionError(fields.at('End'), 'must be true');
  if ((next === undefined) === (end === undefined)) {
    throw new DefinitionError(fields.path, 'must have either Next or End');
  }
  return { name: place.name, next };
}
