import { FlError } from '../../../shared/core/errors.ts';
import type { Json } from './assembly.ts';

/** What the intrinsic functions of one stack may ask for. Each throws `template-invalid` for a name it does not know. */
export interface Scope {
  /** `Ref` of a resource, parameter or pseudo-parameter; undefined for `AWS::NoValue`. */
  ref(name: string): Json | undefined;
  attribute(logicalId: string, attribute: string): Json;
  condition(name: string): boolean;
  mapping(map: string, first: string, second: string): Json;
  exported(name: string): Json;
}

/** A value that CloudFormation drops: `AWS::NoValue`. */
const nothing = undefined;

type Arguments = (value: Json) => Json | undefined;

/** Evaluates every intrinsic function in `value`. @param where names the place in errors, e.g. `Stack.Logical` */
export function evaluate(value: Json, scope: Scope, where: string): Json | undefined {
  const inner: Arguments = (part) => evaluate(part, scope, where);
  if (isArray(value)) return value.map(inner).filter((item) => item !== nothing);
  if (value === null || typeof value !== 'object') return value;
  const entries = Object.entries(value);
  if (entries.length === 1) {
    const [name, argument] = entries[0];
    if (name === 'Ref' && typeof argument === 'string') return scope.ref(argument);
    if (name.startsWith('Fn::')) {
      const rule = functions[name];
      if (!rule) throw unsupported(where, `the function ${name}`);
      return rule(argument, { inner, scope, where });
    }
  }
  const result: [string, Json][] = [];
  for (const [key, part] of entries) {
    if (key.startsWith('Fn::')) throw invalid(where, `${key} stands beside other keys`);
    const evaluated = inner(part);
    if (evaluated !== nothing) result.push([key, evaluated]);
  }
  return Object.fromEntries(result);
}

/** Evaluates a condition's expression to true or false. */
export function evaluateCondition(value: Json, scope: Scope, where: string): boolean {
  if (isRecord(value) && Object.keys(value).length === 1 && typeof value.Condition === 'string') {
    return scope.condition(value.Condition);
  }
  const result = evaluate(value, scope, where);
  if (typeof result !== 'boolean') throw invalid(where, 'a condition is neither true nor false');
  return result;
}

interface Call {
  readonly inner: Arguments;
  readonly scope: Scope;
  readonly where: string;
}

const functions: Readonly<Record<string, (argument: Json, call: Call) => Json | undefined>> = {
  'Fn::GetAtt': (argument, { scope, where }) => {
    const [logicalId, attribute] =
      typeof argument === 'string' ? splitOnce(argument, '.') : strings(argument, 'Fn::GetAtt', where, 2);
    return scope.attribute(logicalId, attribute);
  },
  'Fn::Join': (argument, { inner, where }) => {
    const [separator, list] = pair(argument, 'Fn::Join', where);
    const parts = inner(list);
    if (typeof separator !== 'string' || parts === nothing) throw invalid(where, 'Fn::Join wants [separator, list]');
    return strings(parts, 'Fn::Join', where).join(separator);
  },
  'Fn::Split': (argument, { inner, where }) => {
    const [separator, text] = pair(argument, 'Fn::Split', where);
    const source = inner(text);
    if (typeof separator !== 'string' || typeof source !== 'string') {
      throw invalid(where, 'Fn::Split wants [separator, text]');
    }
    return source.split(separator);
  },
  'Fn::Select': (argument, { inner, where }) => {
    const [index, list] = pair(argument, 'Fn::Select', where);
    const items = inner(list);
    const chosen = isArray(items) ? items[Number(inner(index))] : nothing;
    if (chosen === nothing) throw invalid(where, `Fn::Select has no element ${JSON.stringify(index)}`);
    return chosen;
  },
  'Fn::Sub': (argument, call) => substitute(argument, call),
  'Fn::If': (argument, { inner, scope, where }) => {
    if (!isArray(argument) || argument.length !== 3 || typeof argument[0] !== 'string') {
      throw invalid(where, 'Fn::If wants [condition, then, else]');
    }
    return inner(scope.condition(argument[0]) ? argument[1] : argument[2]);
  },
  'Fn::Equals': (argument, { inner, where }) => {
    const [left, right] = pair(argument, 'Fn::Equals', where);
    return JSON.stringify(inner(left)) === JSON.stringify(inner(right));
  },
  'Fn::Not': (argument, call) => {
    if (!isArray(argument) || argument.length !== 1) throw invalid(call.where, 'Fn::Not wants [condition]');
    return !evaluateCondition(argument[0], call.scope, call.where);
  },
  'Fn::And': (argument, { scope, where }) => list(argument, 'Fn::And', where).every(conditionIn(scope, where)),
  'Fn::Or': (argument, { scope, where }) => list(argument, 'Fn::Or', where).some(conditionIn(scope, where)),
  'Fn::FindInMap': (argument, { inner, scope, where }) => {
    const keys = inner(argument);
    const [map, first, second] = strings(keys ?? null, 'Fn::FindInMap', where, 3);
    return scope.mapping(map, first, second);
  },
  'Fn::ImportValue': (argument, { inner, scope, where }) => {
    const name = inner(argument);
    if (typeof name !== 'string') throw invalid(where, 'Fn::ImportValue wants a name');
    return scope.exported(name);
  },
};

/** `${Name}`, `${Logical.Attribute}`, `${Local}` from the second argument, and `${!Literal}`. */
function substitute(argument: Json, { inner, scope, where }: Call): string {
  const [text, locals] = isArray(argument) ? argument : [argument, {}];
  if (typeof text !== 'string' || !isRecord(locals)) throw invalid(where, 'Fn::Sub wants text or [text, values]');
  return text.replaceAll(/\$\{(!?)([^}]*)\}/g, (_whole, literal: string, name: string) => {
    if (literal) return `\${${name}}`;
    const [logicalId, attribute] = splitOnce(name.trim(), '.');
    const value = Object.hasOwn(locals, name)
      ? inner(locals[name])
      : attribute === ''
        ? scope.ref(logicalId)
        : scope.attribute(logicalId, attribute);
    return scalar(value, 'Fn::Sub', where);
  });
}

function conditionIn(scope: Scope, where: string): (value: Json) => boolean {
  return (value) => evaluateCondition(value, scope, where);
}

function list(value: Json, name: string, where: string): readonly Json[] {
  if (!isArray(value)) throw invalid(where, `${name} wants a list`);
  return value;
}

function pair(value: Json, name: string, where: string): readonly [Json, Json] {
  if (!isArray(value) || value.length !== 2) throw invalid(where, `${name} wants two arguments`);
  return [value[0], value[1]];
}

function strings(value: Json, name: string, where: string, length?: number): string[] {
  if (!isArray(value) || (length !== undefined && value.length !== length)) {
    throw invalid(where, `${name} wants a list of ${length ?? 'any number of'} strings`);
  }
  return value.map((item) => scalar(item, name, where));
}

function scalar(value: Json | undefined, name: string, where: string): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  throw invalid(where, `${name} got ${JSON.stringify(value)} where it wants a string`);
}

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}

export function isArray(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}

export function isRecord(value: Json | undefined): value is { readonly [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function invalid(where: string, what: string): FlError {
  return new FlError('template-invalid', `${where}: ${what}`);
}

function unsupported(where: string, what: string): FlError {
  return new FlError('template-unsupported', `${where}: the local cloud does not know ${what}`);
}
