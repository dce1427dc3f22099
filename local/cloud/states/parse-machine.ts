import type { Machine, Process, State } from './definition.ts';
import { DefinitionError, Fields } from './fields.ts';
import { assignedVariables } from './parse-place.ts';
import { parseState } from './parse-state.ts';

/** AWS's limit on a definition. */
const maxDefinitionBytes = 1024 * 1024;

/** What holds for a whole machine while it is parsed. */
interface Parsing {
  readonly jsonata: boolean;
  /** Paths by state name; a name may stand only once in a machine. */
  readonly paths: Map<string, string>;
}

/**
 * Checks and compiles the JSON of a state machine in JSONata (https://states-language.net/spec.html).
 * @param name of the machine, for messages
 * @throws {DefinitionError} naming the path of the first thing that is wrong or not supported locally
 */
export function parseMachine(definition: unknown, name: string): Machine {
  try {
    const size = sizeOf(definition);
    if (size > maxDefinitionBytes)
      throw new DefinitionError('the definition', `has ${size} bytes, at most 1 MiB is allowed`);
    const fields = new Fields(definition, '');
    const parsing: Parsing = {
      jsonata: fields.has('QueryLanguage') && fields.word('QueryLanguage', ['JSONata']) === 'JSONata',
      paths: new Map(),
    };
    if (fields.has('Version')) fields.word('Version', ['1.0']);
    const machine = {
      comment: fields.optionalText('Comment'),
      timeoutSeconds: fields.optionalNumber('TimeoutSeconds', { integer: true, min: 1 }),
      ...parseProcess(fields, parsing, new Set()),
    };
    fields.finish();
    return machine;
  } catch (cause) {
    if (cause instanceof DefinitionError) throw new DefinitionError(cause.path, cause.problem, name);
    throw cause;
  }
}

/** Throws what `parseMachine` would throw. */
export function validateDefinition(definition: unknown, name: string): void {
  parseMachine(definition, name);
}

function parseProcess(fields: Fields, parsing: Parsing, outer: ReadonlySet<string>): Process {
  const startAt = fields.text('StartAt');
  const holder = new Fields(fields.take('States'), fields.at('States'));
  const own = assignedVariables(fields.take('States'));
  const shadowed = [...own].find((variable) => outer.has(variable));
  if (shadowed !== undefined) {
    throw new DefinitionError(holder.path, `assigns $${shadowed}, which a scope around it assigns too`);
  }
  const variables = new Set([...outer, ...own]);
  const states = new Map<string, State>();
  for (const name of holder.names()) {
    const path = holder.at(name);
    if (name.length === 0 || name.length > 80)
      throw new DefinitionError(path, 'must have a name of 1 to 80 characters');
    const twin = parsing.paths.get(name);
    if (twin !== undefined) throw new DefinitionError(path, `has the name of ${twin}`);
    parsing.paths.set(name, path);
    const place = {
      name,
      variables,
      parseProcess: (inner: Fields, scope: 'nested' | 'isolated') => {
        return parseProcess(inner, parsing, scope === 'nested' ? variables : new Set());
      },
    };
    states.set(name, parseState(new Fields(holder.take(name), path), place, parsing.jsonata));
  }
  refuseBrokenFlow(startAt, states, fields.at('StartAt'), holder);
  return { startAt, states };
}

/** Every transition must lead to a state of the same process, every state must be reachable, and an end must exist. */
function refuseBrokenFlow(
  startAt: string,
  states: ReadonlyMap<string, State>,
  startPath: string,
  holder: Fields,
): void {
  if (!states.has(startAt)) throw new DefinitionError(startPath, `names ${startAt}, which is no state beside it`);
  const reached = new Set([startAt]);
  let ends = false;
  // a Set's iteration visits what is added on the way
  for (const name of reached) {
    const state = states.get(name);
    const targets = state === undefined ? [] : targetsOf(state);
    for (const target of targets) {
      if (!states.has(target))
        throw new DefinitionError(holder.at(name), `leads to ${target}, which is no state beside it`);
      reached.add(target);
    }
    ends ||= state !== undefined && isEnd(state);
  }
  for (const name of states.keys()) {
    if (!reached.has(name)) throw new DefinitionError(holder.at(name), 'is never reached');
  }
  if (!ends) throw new DefinitionError(holder.path, 'has no state that ends');
}

function targetsOf(state: State): string[] {
  const targets: (string | undefined)[] = 'catchers' in state ? state.catchers.map((catcher) => catcher.next) : [];
  if (state.type === 'Choice') targets.push(state.fallback, ...state.rules.map((rule) => rule.next));
  else if ('next' in state) targets.push(state.next);
  return targets.filter((target) => target !== undefined);
}

function isEnd(state: State): boolean {
  return state.type === 'Succeed' || state.type === 'Fail' || ('next' in state && state.next === undefined);
}

function sizeOf(definition: unknown): number {
  try {
    return Buffer.byteLength(JSON.stringify(definition) ?? '');
  } catch (cause) {
    throw new DefinitionError('the definition', `is not JSON: ${cause instanceof Error ? cause.message : cause}`);
  }
}
