import { randomUUID } from 'node:crypto';
import type { Machine } from './definition.ts';
import type { EndRecord, Journalled, StartRecord } from './journal.ts';
import { isObject, type Json, type JsonObject, parseJson } from './json.ts';
import type { MachineIdentity } from './run.ts';
import type { Resumption } from './run-process.ts';

/** A machine that can be started. */
export interface Registered extends MachineIdentity {
  readonly type: 'STANDARD' | 'EXPRESS';
  readonly definition: Json;
  readonly machine: Machine;
}

/** An execution, running or ended. */
export interface Execution {
  readonly start: StartRecord;
  readonly machineName: string;
  end: EndRecord | undefined;
  /** The state that its outermost process is in. */
  state: string | undefined;
}

/** A move of an execution, for whoever watches. */
export interface Transition {
  readonly executionArn: string;
  readonly executionName: string;
  readonly machineName: string;
  readonly phase: 'entered' | 'exited' | 'ended';
  /** The state's name, or how the execution ended. */
  readonly state: string;
}

/** The same name is taken by an execution with other input, or by one that has ended. */
export class NameTaken extends Error {
  override readonly name = 'NameTaken';
}

/** Names of Express executions may repeat; AWS tells them apart by a random suffix. */
export function executionArn({ arn, type }: Registered, name: string): string {
  if (type === 'EXPRESS') return `${arn.replace(':stateMachine:', ':express:')}:${name}:${randomUUID()}`;
  return `${arn.replace(':stateMachine:', ':execution:')}:${name}`;
}

/** The event that ends an execution's history. */
export function endEventOf({ status, output, error, cause }: EndRecord): { type: string; details: JsonObject } {
  const { type, field } = endEvents[status];
  return { type, details: { [field]: definedOf({ output, error, cause }) } };
}

/** A record as JSON, without what is undefined. */
export function definedOf(record: Readonly<Record<string, string | number | undefined>>): JsonObject {
  const entries = Object.entries(record).flatMap(([key, value]) => (value === undefined ? [] : [{ key, value }]));
  return Object.fromEntries(entries.map(({ key, value }) => [key, value]));
}

/** Where an execution stood: the last state that its outermost process entered. */
export function resumptionOf({ start, checkpoint }: Journalled): Resumption | undefined {
  if (checkpoint === undefined) return undefined;
  const { event, variables } = checkpoint;
  const entered = event.stateEnteredEventDetails;
  if (!isObject(entered) || typeof entered.name !== 'string' || typeof entered.input !== 'string') {
    throw new Error(`[states] event ${event.id} of ${start.arn} has variables but is no entry into a state`);
  }
  return {
    state: entered.name,
    input: parseJson(entered.input),
    variables,
    enteredMs: event.timestamp * 1000,
    enteredEventId: event.id,
  };
}

const endEvents = {
  SUCCEEDED: { type: 'ExecutionSucceeded', field: 'executionSucceededEventDetails' },
  FAILED: { type: 'ExecutionFailed', field: 'executionFailedEventDetails' },
  ABORTED: { type: 'ExecutionAborted', field: 'executionAbortedEventDetails' },
  TIMED_OUT: { type: 'ExecutionTimedOut', field: 'executionTimedOutEventDetails' },
} as const satisfies Record<EndRecord['status'], { type: string; field: string }>;
