import { setImmediate as yieldToOthers } from 'node:timers/promises';
import type { Process, State } from './definition.ts';
import { StateFailure } from './failure.ts';
import { type Json, maxPayloadBytes, payloadBytes } from './json.ts';
import { withRecovery } from './recover.ts';
import type { Outcome, Scope, Visit } from './run.ts';
import { runChoice, runFail, runPass, runSucceed, runWait } from './run-flow.ts';
import { runMap } from './run-map.ts';
import { runParallel } from './run-parallel.ts';
import { runTask } from './run-task.ts';

/** A state that an execution was in when its process died: it is run again, but not entered again. */
export interface Resumption {
  readonly state: string;
  readonly input: Json;
  readonly variables: Readonly<Record<string, Json>>;
  readonly enteredMs: number;
  readonly enteredEventId: number;
}

/**
 * Runs states from `StartAt`, or from where a resumed execution stood, until one ends the process.
 * @returns the last state's output
 * @throws {StateFailure} that no state caught
 */
export async function runProcess(process: Process, input: Json, outer: Scope, resumption?: Resumption): Promise<Json> {
  const { run, cursor, signal } = outer;
  let variables = resumption?.variables ?? outer.variables;
  let current = resumption?.input ?? input;
  let next: string | undefined = resumption?.state ?? process.startAt;
  let resumed = resumption;
  while (next !== undefined) {
    signal.throwIfAborted();
    const state = stateNamed(process, next);
    const scope: Scope = { ...outer, variables };
    const visit = resumed === undefined ? enter(state, current, scope) : { ...resumed, state, scope, retryCount: 0 };
    resumed = undefined;
    run.onState?.(state.name, 'entered', scope.outermost);
    const outcome: Outcome = await runState(state, visit);
    if (state.type !== 'Fail') {
      run.history.emit(cursor, `${state.type}StateExited`, {
        stateExitedEventDetails: { name: state.name, output: JSON.stringify(outcome.output) },
      });
    }
    run.onState?.(state.name, 'exited', scope.outermost);
    ({ output: current, variables, next } = outcome);
    // a machine that only passes must not keep the rest of the local cloud from running
    await yieldToOthers();
  }
  return current;
}

function stateNamed(process: Process, name: string): State {
  const state = process.states.get(name);
  if (state === undefined) throw new StateFailure('States.Runtime', `The state machine has no state '${name}' here.`);
  return state;
}

function enter(state: State, input: Json, scope: Scope): Visit {
  const { run, cursor, outermost, variables } = scope;
  if (run.billed) run.surroundings.meter.count('states.transitions');
  const text = JSON.stringify(input);
  const details = { stateEnteredEventDetails: { name: state.name, input: text } };
  const enteredEventId = run.history.emit(
    cursor,
    `${state.type}StateEntered`,
    details,
    outermost ? variables : undefined,
  );
  if (payloadBytes(input) > maxPayloadBytes) {
    const reason = `The input of the state '${state.name}' exceeds the maximum number of bytes service limit.`;
    throw new StateFailure('States.DataLimitExceeded', reason);
  }
  return { scope, state, input, enteredMs: run.surroundings.clock.now(), enteredEventId, retryCount: 0 };
}

function runState(state: State, visit: Visit): Promise<Outcome> {
  switch (state.type) {
    case 'Task':
      return withRecovery(visit, state, (attempt) => runTask(state, attempt));
    case 'Parallel':
      return withRecovery(visit, state, (attempt) => runParallel(state, attempt));
    case 'Map':
      return withRecovery(visit, state, (attempt) => runMap(state, attempt));
    case 'Pass':
      return runPass(state, visit);
    case 'Choice':
      return runChoice(state, visit);
    case 'Wait':
      return runWait(state, visit);
    case 'Succeed':
      return runSucceed(state, visit);
    case 'Fail':
      return runFail(state, visit);
  }
}
