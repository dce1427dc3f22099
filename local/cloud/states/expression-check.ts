import { DefinitionError } from './fields.ts';
import { builtinNames, stepFunctions } from './functions.ts';
import { isObject } from './json.ts';

/** Members of `$states`; which of them exist depends on the field. */
export type StatesMember = 'input' | 'result' | 'errorOutput' | 'context';

/** What an expression at one place of the definition may refer to. */
export interface Visible {
  readonly variables: ReadonlySet<string>;
  readonly states: ReadonlySet<StatesMember>;
}

type Node = Readonly<Record<string, unknown>>;

/** The context object as far as it exists locally; `open` is the user's own data. */
const context: Node = {
  Execution: { Id: 'open', Name: 'open', Input: 'open', StartTime: 'open' },
  State: { Name: 'open', EnteredTime: 'open', RetryCount: 'open' },
  StateMachine: { Id: 'open', Name: 'open' },
  Map: { Item: { Index: 'open', Value: 'open' } },
};

/** Below these the context item is no longer the (absent) root. */
const innerKeys = new Set(['predicate', 'stages', 'group', 'terms', 'pattern', 'update', 'delete']);

/**
 * Refuses what Step Functions would refuse or what could only fail when it runs: unknown functions and variables, `$eval`, `$` and
 * bare names at the top level, operators younger than JSONata 2.0.6.
 * @throws {DefinitionError} at `path`
 */
export function checkExpression(ast: unknown, source: string, path: string, visible: Visible): void {
  const local = new Set<string>();
  collectLocals(ast, local);
  const refuse = (problem: string): never => {
    throw new DefinitionError(path, `${problem}, in {% ${source} %}`);
  };

  const variable = (node: Node, top: boolean): void => {
    const name = String(node.value);
    if (name === '$') refuse('$$ is not supported in Step Functions');
    if (name === '') {
      if (top) refuse('$ has no value at the top level');
      return;
    }
    if (name === 'eval') refuse('$eval is not supported by Step Functions, use $parse');
    if (name === 'states' || local.has(name) || visible.variables.has(name)) return;
    if (!builtinNames.has(name) && !Object.hasOwn(stepFunctions, name)) {
      refuse(`$${name} is neither a variable assigned in this scope nor a function known locally`);
    }
  };

  const statesPath = (steps: readonly unknown[]): void => {
    const names = steps.map((step) => (isObject(step) && step.type === 'name' ? String(step.value) : undefined));
    const member = names[1];
    if (member === undefined) return;
    if (![...visible.states].some((known) => known === member)) refuse(`$states.${member} is not available here`);
    if (member !== 'context') return;
    let known: unknown = context;
    for (let i = 2; i < names.length && isObject(known); i++) {
      const name = names[i];
      if (name === undefined) return;
      if (!Object.hasOwn(known, name)) refuse(`$states.${names.slice(1, i + 1).join('.')} is not supported locally`);
      known = known[name];
    }
  };

  const walk = (node: unknown, top: boolean): void => {
    if (Array.isArray(node)) {
      for (const item of node) walk(item, top);
      return;
    }
    if (!isObject(node)) return;
    if (node.type === 'variable') variable(node, top);
    if (top && node.type === 'name') refuse(`the bare name ${node.value} has no value at the top level`);
    if (top && (node.type === 'wildcard' || node.type === 'descendant'))
      refuse(`${node.value} has no value at the top level`);
    if (node.type === 'condition' && isYoungOperator(node)) refuse('the operators ?? and ?: came after JSONata 2.0.6');
    if (node.type === 'regex') return;
    for (const [key, child] of Object.entries(node)) {
      if (node.type === 'path' && key === 'steps' && Array.isArray(child)) {
        if (isObject(child[0]) && child[0].type === 'variable' && child[0].value === 'states') statesPath(child);
        child.forEach((step, i) => {
          walk(step, top && i === 0);
        });
      } else if (typeof child === 'object') walk(child, top && !innerKeys.has(key));
    }
  };
  walk(ast, true);
}

/** Names that the expression itself binds: by `:=`, as parameters of a function, by `@` and by `#`. */
function collectLocals(node: unknown, local: Set<string>): void {
  if (Array.isArray(node)) {
    for (const item of node) collectLocals(item, local);
    return;
  }
  if (!isObject(node) || node.type === 'regex') return;
  if (node.type === 'bind' && isObject(node.lhs)) local.add(String(node.lhs.value));
  if (node.type === 'lambda' && Array.isArray(node.arguments)) {
    for (const parameter of node.arguments) if (isObject(parameter)) local.add(String(parameter.value));
  }
  if (typeof node.focus === 'string') local.add(node.focus);
  if (typeof node.index === 'string') local.add(node.index);
  if (node.type === 'index') local.add(String(node.value));
  for (const child of Object.values(node)) if (typeof child === 'object') collectLocals(child, local);
}

/** The parser turns `a ?? b` and `a ?: b` into conditions whose parts share their positions in the source. */
function isYoungOperator(node: Node): boolean {
  const { condition } = node;
  if (!isObject(condition)) return false;
  if (condition.type === 'function' && condition.position === undefined) return true;
  return JSON.stringify(condition) === JSON.stringify(node.then);
}
