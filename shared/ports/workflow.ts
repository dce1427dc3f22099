import type { TaskId, TicketId } from '../core/names.ts';
import type { Metrics } from '../wire/api.ts';
import type { RoundInput } from '../wire/workflow.ts';

/** Starts rounds. */
export interface RoundStarter {
  /**
   * Starts the execution that `input` names; starting it again does nothing. `ended-badly`: it was started before, and
   * failed, timed out or was stopped.
   */
  start(input: RoundInput): Promise<'started' | 'known' | 'ended-badly'>;
}

/** A note to look at a task again, later. */
export interface DeadlineNote {
  readonly kind: 'deadline';
  readonly task: TaskId;
  /** The version whose next round the deadline is for. */
  readonly version: number;
}

/** The arrivals queue: S3 puts arrivals in, Tributary puts notes to itself in. At least once, in any order. */
export interface UpdateQueue {
  /** Delivers after `delayMs`, or earlier: the receiver looks at its clock. */
  postpone(note: DeadlineNote, delayMs: number): Promise<void>;
}

export interface Clock {
  /** Epoch milliseconds. */
  now(): number;
}

export interface Secrets {
  /** 32 unguessable bytes as base64url. */
  ticketId(): TicketId;
}

export interface InvitationCodes {
  /** 32 unguessable bytes as base64url. */
  next(): string;
}

/** Where operators look: one measurement of one task. */
export interface Telemetry {
  record(task: TaskId, metrics: Metrics, properties?: Readonly<Record<string, string | number>>): void;
}
