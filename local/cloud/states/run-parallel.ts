import type { Parallel } from './definition.ts';
import { conclude, evaluateField, refuseOversize } from './evaluate.ts';
import { Interrupted } from './failure.ts';
import { mapConcurrently } from './pool.ts';
import type { Outcome, Visit } from './run.ts';

/** Runs all branches on the same input; the result is the array of their outputs. A branch's error is the state's error. */
export async function runParallel(state: Parallel, visit: Visit): Promise<Outcome> {
  const { run, cursor, signal, variables, mapItem } = visit.scope;
  const input = state.arguments === undefined ? visit.input : await evaluateField(visit, state.arguments);
  run.history.emit(cursor, 'ParallelStateStarted');
  try {
    const { branches } = state;
    const result = await mapConcurrently(branches, branches.length, signal, (branch, _index, branchSignal) => {
      const branchCursor = { ...cursor };
      const scope = { run, variables, mapItem, signal: branchSignal, cursor: branchCursor, outermost: false };
      return run.runProcess(branch, input, scope);
    });
    refuseOversize(visit, result, 'a result');
    run.history.emit(cursor, 'ParallelStateSucceeded');
    return await conclude(visit, state, state.next, result, { result });
  } catch (cause) {
    if (!(cause instanceof Interrupted)) run.history.emit(cursor, 'ParallelStateFailed');
    throw cause;
  }
}
