/** A state failed in the sense of the States Language: `Retry` and `Catch` see it by its error name. */
export class StateFailure extends Error {
  override readonly name = 'StateFailure';
  readonly error: string;
  readonly reason: string | undefined;

  constructor(error: string, reason?: string, options?: ErrorOptions) {
    super(reason === undefined ? error : `${error}: ${reason}`, options);
    this.error = error;
    this.reason = reason;
  }
}

/** Why an execution is torn down from outside; no `Retry` or `Catch` sees it. */
export type InterruptionKind = 'stopped' | 'timed-out' | 'closing' | 'sibling-failed';

export class Interrupted extends Error {
  override readonly name = 'Interrupted';
  readonly kind: InterruptionKind;

  constructor(kind: InterruptionKind) {
    super(`the execution was interrupted: ${kind}`);
    this.kind = kind;
  }
}

/** The failure that something thrown stands for. A defect becomes States.Runtime, which nothing catches. */
export function failureOf(thrown: unknown): StateFailure {
  if (thrown instanceof StateFailure) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new StateFailure('States.Runtime', message, { cause: thrown });
}

/**
 * True if one of a retrier's or catcher's `ErrorEquals` names the error.
 * States.Runtime is never matched, States.DataLimitExceeded only by its own name, and States.TaskFailed matches all but States.Timeout
 * (https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html).
 */
export function matchesError(errorEquals: readonly string[], error: string): boolean {
  if (error === 'States.Runtime') return false;
  return errorEquals.some((name) => {
    if (name === error) return true;
    if (error === 'States.DataLimitExceeded') return false;
    return name === 'States.ALL' || (name === 'States.TaskFailed' && error !== 'States.Timeout');
  });
}
