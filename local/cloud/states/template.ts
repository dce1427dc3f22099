import jsonata from 'jsonata';
import { checkExpression, type Visible } from './expression-check.ts';
import { DefinitionError } from './fields.ts';
import { stepFunctions } from './functions.ts';
import { isObject, type Json, toJson } from './json.ts';

/** A JSON value of a definition in which strings `{% ... %}` are JSONata. `field` is its path within the state. */
export type Template =
  | { readonly kind: 'literal'; readonly value: Json }
  | {
      readonly kind: 'expression';
      readonly field: string;
      readonly source: string;
      readonly compiled: jsonata.Expression;
    }
  | { readonly kind: 'array'; readonly items: readonly Template[] }
  | { readonly kind: 'object'; readonly members: readonly { readonly name: string; readonly value: Template }[] };

/** A JSONata expression failed, or gave nothing. */
export class QueryError extends Error {
  override readonly name = 'QueryError';
  readonly field: string;

  constructor(expression: { field: string; source: string }, problem: string) {
    super(`The JSONata expression '${expression.source}' specified for the field '${expression.field}' ${problem}`);
    this.field = expression.field;
  }
}

/** Runaway expressions end; the limits are far above what a workflow needs. */
const guardrails = { timeout: 10_000, stack: 2_000, sequence: 1_000_000 };
const maxDepth = 100;

/**
 * Compiles every expression of a field.
 * @param path of the field in the definition; `field` is the same path from the state on
 * @throws {DefinitionError} on what is not JSON, does not parse, or refers to what does not exist
 */
export function compileTemplate(value: unknown, path: string, field: string, visible: Visible, depth = 0): Template {
  if (depth > maxDepth) throw new DefinitionError(path, `is nested deeper than ${maxDepth} levels`);
  if (typeof value === 'string') return compileText(value, path, field, visible);
  if (Array.isArray(value)) {
    const items = value.map((item, i) => compileTemplate(item, `${path}[${i}]`, `${field}[${i}]`, visible, depth + 1));
    return { kind: 'array', items };
  }
  if (isObject(value)) {
    const members = Object.entries(value).map(([name, member]) => {
      if (name.endsWith('.$'))
        throw new DefinitionError(`${path}.${name}`, 'is JSONPath, which is not supported locally');
      return { name, value: compileTemplate(member, `${path}.${name}`, `${field}/${name}`, visible, depth + 1) };
    });
    return { kind: 'object', members };
  }
  if (value === null || typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value))) {
    return { kind: 'literal', value };
  }
  throw new DefinitionError(path, 'is not JSON');
}

/**
 * Evaluates a template. Members and items are evaluated on their own; each must give a value.
 * @throws {QueryError} if an expression fails, gives nothing, or gives what is not JSON
 */
export async function evaluateTemplate(template: Template, bindings: Readonly<Record<string, unknown>>): Promise<Json> {
  switch (template.kind) {
    case 'literal':
      return template.value;
    case 'array': {
      const items: Json[] = [];
      for (const item of template.items) items.push(await evaluateTemplate(item, bindings));
      return items;
    }
    case 'object': {
      const entries: [string, Json][] = [];
      for (const { name, value } of template.members) entries.push([name, await evaluateTemplate(value, bindings)]);
      return Object.fromEntries(entries);
    }
    case 'expression':
      return evaluateExpression(template, bindings);
  }
}

function compileText(text: string, path: string, field: string, visible: Visible): Template {
  if (!text.startsWith('{%') && !text.endsWith('%}')) return { kind: 'literal', value: text };
  if (!text.startsWith('{%') || !text.endsWith('%}') || text.length < 4) {
    throw new DefinitionError(path, `must begin with {% and end with %}, without blanks around them: ${text}`);
  }
  const source = text.slice(2, -2).trim();
  let compiled: jsonata.Expression;
  try {
    compiled = jsonata(source, guardrails);
  } catch (cause) {
    throw new DefinitionError(path, `is not JSONata: ${problemOf(cause)}, in {% ${source} %}`);
  }
  checkExpression(compiled.ast(), source, path, visible);
  for (const [name, implementation] of Object.entries(stepFunctions)) compiled.registerFunction(name, implementation);
  return { kind: 'expression', field, source, compiled };
}

async function evaluateExpression(
  expression: Extract<Template, { kind: 'expression' }>,
  bindings: Readonly<Record<string, unknown>>,
): Promise<Json> {
  let value: Json | undefined;
  try {
    value = toJson(await expression.compiled.evaluate(undefined, { ...bindings }));
  } catch (cause) {
    throw new QueryError(expression, `threw an error during evaluation. ${problemOf(cause)}`);
  }
  if (value === undefined) throw new QueryError(expression, 'returned nothing (undefined).');
  return value;
}

function problemOf(cause: unknown): string {
  if (!isObject(cause)) return String(cause);
  const code = typeof cause.code === 'string' ? `${cause.code}: ` : '';
  return `${code}${typeof cause.message === 'string' ? cause.message : 'unknown error'}`;
}
