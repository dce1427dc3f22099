import type { Assign, Process, Result } from './definition.ts';
import type { StatesMember, Visible } from './expression-check.ts';
import { DefinitionError, Fields } from './fields.ts';
import { builtinNames, stepFunctions } from './functions.ts';
import { isObject } from './json.ts';
import { compileTemplate, type Template } from './template.ts';

/** Where a state stands: what its parser needs to know beyond its own fields. */
export interface Place {
  readonly name: string;
  /** Variables that some state of this process or of one around it assigns. */
  readonly variables: ReadonlySet<string>;
  /** Reads `StartAt` and `States`; an isolated process sees none of the variables around it. */
  parseProcess(fields: Fields, scope: 'nested' | 'isolated'): Process;
}

const inputOnly: readonly StatesMember[] = ['input', 'context'];

export function visibleAt(place: Place, members: readonly StatesMember[] = inputOnly): Visible {
  return { variables: place.variables, states: new Set(members) };
}

/** A field that may hold expressions, or undefined if the state does not have it. */
export function optionalTemplate(
  fields: Fields,
  name: string,
  place: Place,
  members: readonly StatesMember[] = inputOnly,
): Template | undefined {
  if (!fields.has(name)) return undefined;
  const field = fieldWithinState(fields.at(name), place);
  return compileTemplate(fields.take(name), fields.at(name), field, visibleAt(place, members));
}

/** A field that holds a number within bounds, or an expression whose value is checked when it is known. */
export function optionalQuantity(
  fields: Fields,
  name: string,
  place: Place,
  bounds: { integer?: boolean; min?: number; max?: number } = {},
): Template | undefined {
  if (!fields.has(name)) return undefined;
  if (typeof fields.take(name) !== 'string') {
    const value = fields.optionalNumber(name, bounds);
    return value === undefined ? undefined : { kind: 'literal', value };
  }
  const template = optionalTemplate(fields, name, place);
  if (template?.kind !== 'expression') throw new DefinitionError(fields.at(name), 'must be a number or {% JSONata %}');
  return template;
}

/** `Output` and `Assign`, which see `$states` with the given members. */
export function parseResult(fields: Fields, place: Place, members: readonly StatesMember[]): Result {
  return {
    output: optionalTemplate(fields, 'Output', place, members),
    assign: parseAssign(fields, place, members),
  };
}

function parseAssign(fields: Fields, place: Place, members: readonly StatesMember[]): Assign {
  if (!fields.has('Assign')) return [];
  const assign = new Fields(fields.take('Assign'), fields.at('Assign'));
  return assign.names().map((name) => {
    refuseVariableName(name, assign.at(name));
    const field = fieldWithinState(assign.at(name), place);
    const value = compileTemplate(assign.take(name), assign.at(name), field, visibleAt(place, members));
    return { name, value };
  });
}

function refuseVariableName(name: string, path: string): void {
  if (!/^[\p{ID_Start}_][\p{ID_Continue}]{0,79}$/u.test(name)) {
    throw new DefinitionError(path, 'is not a variable name: a letter, then letters, digits and _, at most 80');
  }
  if (name === 'states') throw new DefinitionError(path, 'assigns to $states, which is reserved');
  if (builtinNames.has(name) || Object.hasOwn(stepFunctions, name)) {
    throw new DefinitionError(path, `would hide the function $${name}`);
  }
}

/** Every variable that a state of these assigns, by itself, in a choice or in a catcher. Malformed states give none. */
export function assignedVariables(states: unknown): Set<string> {
  const names = new Set<string>();
  const collect = (holder: unknown) => {
    if (isObject(holder) && isObject(holder.Assign)) for (const name of Object.keys(holder.Assign)) names.add(name);
  };
  for (const state of isObject(states) ? Object.values(states) : []) {
    collect(state);
    for (const key of ['Choices', 'Catch']) {
      const holders = isObject(state) ? state[key] : undefined;
      if (Array.isArray(holders)) holders.forEach(collect);
    }
  }
  return names;
}

/** AWS names a field in its messages by the path from the state on. */
function fieldWithinState(path: string, place: Place): string {
  return path.slice(path.lastIndexOf(`States.${place.name}.`) + `States.${place.name}.`.length).replaceAll('.', '/');
}
