import type { MapState } from './definition.ts';
import { conclude, evaluateField, evaluateQuantity, queryFailure, refuseOversize } from './evaluate.ts';
import { Interrupted } from './failure.ts';
import type { Json } from './json.ts';
import { mapConcurrently } from './pool.ts';
import type { Outcome, Visit } from './run.ts';
import { runDistributed } from './run-distributed.ts';

/** AWS runs at most this many iterations of an inline Map at once. */
const inlineConcurrency = 40;

/** Runs the processor for each item; the result is the array of its outputs. An iteration's error is the state's error. */
export async function runMap(state: MapState, visit: Visit): Promise<Outcome> {
  const { run, cursor } = visit.scope;
  try {
    const result =
      state.distribution === undefined
        ? await runInline(state, visit)
        : await runDistributed(state, state.distribution, visit);
    refuseOversize(visit, result, 'a result');
    run.history.emit(cursor, 'MapStateSucceeded');
    return await conclude(visit, state, state.next, result, { result });
  } catch (cause) {
    if (!(cause instanceof Interrupted)) run.history.emit(cursor, 'MapStateFailed');
    throw cause;
  }
}

async function runInline(state: MapState, visit: Visit): Promise<Json[]> {
  const { run, cursor, signal, variables } = visit.scope;
  const { history } = run;
  const items = await itemsOf(state, visit);
  const asked = await evaluateQuantity(visit, state.maxConcurrency, 'MaxConcurrency', { integer: true });
  const limit = Math.min(asked || inlineConcurrency, inlineConcurrency);
  history.emit(cursor, 'MapStateStarted', { mapStateStartedEventDetails: { length: items.length } });
  return mapConcurrently(items, limit, signal, async (value, index, itemSignal) => {
    const itemCursor = { ...cursor };
    const details = { name: state.name, index };
    history.emit(itemCursor, 'MapIterationStarted', { mapIterationStartedEventDetails: details });
    try {
      const mapItem = { Index: index, Value: value };
      const input = await itemInput(state, visit, mapItem);
      const scope = { run, variables, mapItem, signal: itemSignal, cursor: itemCursor, outermost: false };
      const output = await run.runProcess(state.processor, input, scope);
      history.emit(itemCursor, 'MapIterationSucceeded', { mapIterationSucceededEventDetails: details });
      return output;
    } catch (cause) {
      if (!(cause instanceof Interrupted)) {
        history.emit(itemCursor, 'MapIterationFailed', { mapIterationFailedEventDetails: details });
      }
      throw cause;
    }
  });
}

/** The items of `Items`, or else the state's input. @throws {StateFailure} States.QueryEvaluationError unless they are an array */
export async function itemsOf(state: MapState, visit: Visit): Promise<Json[]> {
  const items = state.items === undefined ? visit.input : await evaluateField(visit, state.items);
  if (Array.isArray(items)) return items;
  const kind = items === null ? 'null' : typeof items;
  throw queryFailure(visit, 'Items', `The items of a Map must be an array locally, but are of type ${kind}.`);
}

/** What the processor gets for an item: the item, or what ItemSelector makes of it. */
export async function itemInput(
  state: MapState,
  visit: Visit,
  mapItem: { readonly Index: number; readonly Value: Json },
): Promise<Json> {
  if (state.itemSelector === undefined) return mapItem.Value;
  return evaluateField({ ...visit, scope: { ...visit.scope, mapItem } }, state.itemSelector);
}
