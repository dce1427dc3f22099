import { pause } from './clock.ts';
import type { Choice, Fail, Pass, Succeed, Wait } from './definition.ts';
import { conclude, evaluateField, evaluateQuantity, queryFailure } from './evaluate.ts';
import { StateFailure } from './failure.ts';
import { isTimestamp } from './parse-state.ts';
import type { Outcome, Visit } from './run.ts';
import type { Template } from './template.ts';

export function runPass(state: Pass, visit: Visit): Promise<Outcome> {
  return conclude(visit, state, state.next, visit.input);
}

/** Takes the first rule whose condition holds; a condition that is no boolean is an error, not a no. */
export async function runChoice(state: Choice, visit: Visit): Promise<Outcome> {
  for (const [i, rule] of state.rules.entries()) {
    const holds = await evaluateField(visit, rule.condition);
    const field = `Choices[${i}]/Condition`;
    if (typeof holds !== 'boolean') {
      throw queryFailure(visit, field, `The field '${field}' must be a boolean, but is ${JSON.stringify(holds)}.`);
    }
    if (holds) return conclude(visit, rule, rule.next, visit.input);
  }
  if (state.fallback === undefined) {
    const entered = `An error occurred while executing the state '${state.name}' (entered at the event id #${visit.enteredEventId}).`;
    throw new StateFailure(
      'States.Runtime',
      `${entered} Failed to transition out of the state. The state does not point to a next state.`,
    );
  }
  return conclude(visit, state, state.fallback, visit.input);
}

/** Waits from when the state was entered, so that a restart of the local cloud does not wait anew. */
export async function runWait(state: Wait, visit: Visit): Promise<Outcome> {
  const { clock } = visit.scope.run.surroundings;
  const untilMs = await wakeTimeMs(state, visit);
  await pause(clock, untilMs - clock.now(), visit.scope.signal);
  return conclude(visit, state, state.next, visit.input);
}

async function wakeTimeMs({ until }: Wait, visit: Visit): Promise<number> {
  if (until.kind === 'seconds') {
    const seconds = await evaluateQuantity(visit, until.value, 'Seconds', { integer: true });
    return visit.enteredMs + (seconds ?? 0) * 1000;
  }
  const timestamp = await evaluateField(visit, until.value);
  if (isTimestamp(timestamp)) return Date.parse(timestamp);
  throw queryFailure(visit, 'Timestamp', `The field 'Timestamp' must be a time, but is ${JSON.stringify(timestamp)}.`);
}

export function runSucceed({ output }: Succeed, visit: Visit): Promise<Outcome> {
  return conclude(visit, { output, assign: [] }, undefined, visit.input);
}

export async function runFail(state: Fail, visit: Visit): Promise<Outcome> {
  const error = await textOf(visit, state.error, 'Error');
  throw new StateFailure(error ?? 'States.TaskFailed', await textOf(visit, state.cause, 'Cause'));
}

async function textOf(visit: Visit, template: Template | undefined, field: string): Promise<string | undefined> {
  if (template === undefined) return undefined;
  const value = await evaluateField(visit, template);
  if (typeof value === 'string') return value;
  throw queryFailure(visit, field, `The field '${field}' must be a string, but is ${JSON.stringify(value)}.`);
}
