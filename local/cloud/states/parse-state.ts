import type { Choice, ChoiceRule, Fail, Parallel, Pass, State, StateType, Succeed, Task, Wait } from './definition.ts';
import { DefinitionError, Fields } from './fields.ts';
import { parseMap, refuseUnknownMembers } from './parse-map.ts';
import { optionalQuantity, optionalTemplate, type Place, parseResult } from './parse-place.ts';
import { parseRecovery } from './parse-recovery.ts';
import { parseStep } from './parse-step.ts';

const parsers = {
  Task: parseTask,
  Pass: parsePass,
  Choice: parseChoice,
  Wait: parseWait,
  Succeed: parseSucceed,
  Fail: parseFail,
  Parallel: parseParallel,
  Map: parseMap,
} satisfies { [T in StateType]: (fields: Fields, place: Place) => Extract<State, { type: T }> };

const stateTypes: StateType[] = ['Task', 'Pass', 'Choice', 'Wait', 'Succeed', 'Fail', 'Parallel', 'Map'];

/** One state. @param jsonata true if the machine's own QueryLanguage is JSONata */
export function parseState(fields: Fields, place: Place, jsonata: boolean): State {
  const type = fields.word('Type', stateTypes);
  fields.optionalText('Comment');
  if (fields.has('QueryLanguage')) fields.word('QueryLanguage', ['JSONata']);
  else if (!jsonata) throw new DefinitionError(fields.path, 'uses JSONPath, which is not supported locally');
  const state = parsers[type](fields, place);
  fields.finish();
  return state;
}

function parseTask(fields: Fields, place: Place): Task {
  fields.word('Resource', ['arn:aws:states:::lambda:invoke']);
  const taskArguments = optionalTemplate(fields, 'Arguments', place);
  if (taskArguments === undefined) throw new DefinitionError(fields.at('Arguments'), 'is missing');
  refuseUnknownMembers(taskArguments, fields.at('Arguments'), ['FunctionName', 'Payload']);
  return {
    type: 'Task',
    ...parseStep(fields, place),
    ...parseResult(fields, place, ['input', 'result', 'context']),
    ...parseRecovery(fields, place),
    arguments: taskArguments,
    timeoutSeconds: optionalQuantity(fields, 'TimeoutSeconds', place, { integer: true, min: 1 }),
  };
}

function parsePass(fields: Fields, place: Place): Pass {
  return { type: 'Pass', ...parseStep(fields, place), ...parseResult(fields, place, ['input', 'context']) };
}

function parseChoice(fields: Fields, place: Place): Choice {
  return {
    type: 'Choice',
    name: place.name,
    rules: fields.list('Choices').map((value, i) => {
      return parseRule(new Fields(value, `${fields.at('Choices')}[${i}]`), place);
    }),
    fallback: fields.optionalText('Default'),
    ...parseResult(fields, place, ['input', 'context']),
  };
}

function parseRule(fields: Fields, place: Place): ChoiceRule {
  fields.optionalText('Comment');
  const condition = fields.take('Condition') === true ? undefined : optionalTemplate(fields, 'Condition', place);
  if (fields.take('Condition') !== true && condition?.kind !== 'expression') {
    throw new DefinitionError(fields.at('Condition'), 'must be {% JSONata %}');
  }
  const rule = {
    condition: condition ?? ({ kind: 'literal', value: true } as const),
    next: fields.text('Next'),
    ...parseResult(fields, place, ['input', 'context']),
  };
  fields.finish();
  return rule;
}

function parseWait(fields: Fields, place: Place): Wait {
  const seconds = optionalQuantity(fields, 'Seconds', place, { integer: true });
  const timestamp = optionalTemplate(fields, 'Timestamp', place);
  if (timestamp?.kind === 'literal' && !isTimestamp(timestamp.value)) {
    throw new DefinitionError(fields.at('Timestamp'), 'must be an RFC 3339 time such as 2026-11-30T12:00:00Z');
  }
  const value = seconds ?? timestamp;
  if (value === undefined || (seconds !== undefined && timestamp !== undefined)) {
    throw new DefinitionError(fields.path, 'must have either Seconds or Timestamp');
  }
  return {
    type: 'Wait',
    ...parseStep(fields, place),
    ...parseResult(fields, place, ['input', 'context']),
    until: { kind: seconds === undefined ? 'timestamp' : 'seconds', value },
  };
}

/** RFC 3339 with an upper-case T and Z, as the States Language asks. */
export function isTimestamp(value: unknown): value is string {
  return (
    typeof value === 'string' &&
    /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/.test(value) &&
    Number.isFinite(Date.parse(value))
  );
}

function parseSucceed(fields: Fields, place: Place): Succeed {
  return { type: 'Succeed', name: place.name, output: optionalTemplate(fields, 'Output', place) };
}

function parseFail(fields: Fields, place: Place): Fail {
  return {
    type: 'Fail',
    name: place.name,
    error: optionalTemplate(fields, 'Error', place),
    cause: optionalTemplate(fields, 'Cause', place),
  };
}

function parseParallel(fields: Fields, place: Place): Parallel {
  return {
    type: 'Parallel',
    ...parseStep(fields, place),
    ...parseResult(fields, place, ['input', 'result', 'context']),
    ...parseRecovery(fields, place),
    arguments: optionalTemplate(fields, 'Arguments', place),
    branches: fields.list('Branches').map((value, i) => {
      const branch = new Fields(value, `${fields.at('Branches')}[${i}]`);
      branch.optionalText('Comment');
      const process = place.parseProcess(branch, 'nested');
      branch.finish();
      return process;
    }),
  };
}
