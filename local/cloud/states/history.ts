import type { Clock } from './clock.ts';
import { Interrupted, StateFailure } from './failure.ts';
import type { Json, JsonObject } from './json.ts';

/** An entry of an execution's history as GetExecutionHistory gives it; `timestamp` is in seconds. */
export interface HistoryEvent {
  readonly id: number;
  readonly previousEventId: number;
  readonly timestamp: number;
  readonly type: string;
  readonly [details: string]: Json;
}

/** Follows one thread of an execution: each event names the one before it on its thread. */
export interface Cursor {
  previousEventId: number;
}

/** Takes finished lines of JSON, in order. */
export type HistorySink = (lines: readonly string[]) => void;

/** AWS ends an execution that would need more. */
export const maxEvents = 25_000;

/** Numbers the events of one execution and hands them on; keeps none. */
export class History {
  readonly #clock: Clock;
  readonly #sink: HistorySink | undefined;
  #lastId: number;
  #held: string[] = [];
  #ended = false;

  constructor(clock: Clock, sink: HistorySink | undefined, lastId = 0) {
    this.#clock = clock;
    this.#sink = sink;
    this.#lastId = lastId;
  }

  /**
   * @param variables present if the execution can resume at this event
   * @returns the event's id
   * @throws {StateFailure} States.Runtime if only the event that ends the execution may follow
   * @throws {Interrupted} if it has ended, and something of it has yet to notice
   */
  emit(cursor: Cursor, type: string, details: JsonObject = {}, variables?: Readonly<Record<string, Json>>): number {
    if (this.#ended) throw new Interrupted('stopped');
    if (this.#lastId + 1 >= maxEvents && !type.startsWith('Execution')) {
      const reason = `The execution reached the maximum number of history events (${maxEvents}).`;
      throw new StateFailure('States.Runtime', reason);
    }
    this.#lastId += 1;
    const { previousEventId } = cursor;
    cursor.previousEventId = this.#lastId;
    if (this.#sink === undefined) return this.#lastId;
    const event = { id: this.#lastId, previousEventId, timestamp: this.#clock.now() / 1000, type, ...details };
    this.#held.push(JSON.stringify(variables === undefined ? { event } : { event, variables }));
    // what leaves a state is written together with what follows, so that a resumed execution never finds itself between two states
    if (!type.endsWith('StateExited')) this.flush();
    return this.#lastId;
  }

  /** Adds a line that is no event. */
  record(line: JsonObject): void {
    this.#held.push(JSON.stringify(line));
    this.flush();
  }

  /** Nothing more is taken. */
  end(): void {
    this.flush();
    this.#ended = true;
  }

  flush(): void {
    if (this.#held.length === 0) return;
    const lines = this.#held;
    this.#held = [];
    this.#sink?.(lines);
  }
}
