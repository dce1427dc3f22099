import type { Result } from './definition.ts';
import { StateFailure } from './failure.ts';
import { timeFunctions } from './functions.ts';
import { type Json, type JsonObject, maxPayloadBytes, payloadBytes } from './json.ts';
import type { Outcome, Visit } from './run.ts';
import { evaluateTemplate, QueryError, type Template } from './template.ts';

/** What `$states` holds beside input and context: a result after success, an error output in a catcher. */
export type Extra = { readonly result: Json } | { readonly errorOutput: Json };

/** The value of a field, with `$states` and the variables of the visit's scope. @throws {StateFailure} States.QueryEvaluationError */
export async function evaluateField(visit: Visit, template: Template, extra?: Extra): Promise<Json> {
  const { scope, input } = visit;
  const states = { input, context: contextOf(visit), ...extra };
  try {
    const time = timeFunctions(scope.run.surroundings.clock.now());
    return await evaluateTemplate(template, { ...scope.variables, ...time, states });
  } catch (cause) {
    if (!(cause instanceof QueryError)) throw cause;
    throw queryFailure(visit, cause.field, cause.message, cause);
  }
}

/** A field's value is not what the field needs. */
export function queryFailure(visit: Visit, field: string, problem: string, cause?: unknown): StateFailure {
  const { name } = visit.state;
  const reason = `An error occurred while executing the state '${name}' (entered at the event id #${visit.enteredEventId}). ${problem}`;
  const { run, cursor } = visit.scope;
  run.history.emit(cursor, 'EvaluationFailed', {
    evaluationFailedEventDetails: { error: 'States.QueryEvaluationError', cause: reason, location: field, state: name },
  });
  return new StateFailure('States.QueryEvaluationError', reason, { cause });
}

/** A field that must be a number within bounds; undefined if the state does not have it. */
export async function evaluateQuantity(
  visit: Visit,
  template: Template | undefined,
  field: string,
  { integer = false, min = 0, max = 99_999_999 } = {},
): Promise<number | undefined> {
  if (template === undefined) return undefined;
  const value = await evaluateField(visit, template);
  if (typeof value === 'number' && value >= min && value <= max && (!integer || Number.isInteger(value))) return value;
  const expected = `${integer ? 'an integer' : 'a number'} from ${min} to ${max}`;
  throw queryFailure(visit, field, `The field '${field}' must be ${expected}, but is ${JSON.stringify(value)}.`);
}

/** Ends a visit: evaluates Output and Assign, both with the variables that the state was entered with. */
export async function conclude(
  visit: Visit,
  { output, assign }: Result,
  next: string | undefined,
  fallback: Json,
  extra?: Extra,
): Promise<Outcome> {
  const value = output === undefined ? fallback : await evaluateField(visit, output, extra);
  const assigned: [string, Json][] = [];
  for (const { name, value: template } of assign) {
    const assignedValue = await evaluateField(visit, template, extra);
    refuseOversize(visit, assignedValue, `a value for the variable $${name}`);
    assigned.push([name, assignedValue]);
  }
  refuseOversize(visit, value, 'an output');
  const variables = { ...visit.scope.variables, ...Object.fromEntries(assigned) };
  return { output: value, variables, next };
}

/** @throws {StateFailure} States.DataLimitExceeded above 256 KiB of UTF-8 JSON */
export function refuseOversize(visit: Visit, value: Json, what: string): void {
  if (payloadBytes(value) <= maxPayloadBytes) return;
  const reason = `The state '${visit.state.name}' returned ${what} with a size exceeding the maximum number of bytes service limit.`;
  throw new StateFailure('States.DataLimitExceeded', reason);
}

/** The context object, https://docs.aws.amazon.com/step-functions/latest/dg/input-output-contextobject.html. */
function contextOf({ scope, state, enteredMs, retryCount }: Visit): JsonObject {
  const { machine, execution } = scope.run;
  return {
    Execution: { ...execution },
    State: { Name: state.name, EnteredTime: new Date(enteredMs).toISOString(), RetryCount: retryCount },
    StateMachine: { Id: machine.arn, Name: machine.name },
    ...(scope.mapItem === undefined ? {} : { Map: { Item: { ...scope.mapItem } } }),
  };
}
