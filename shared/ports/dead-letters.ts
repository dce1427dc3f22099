/** A message that the arrivals queue gave up on, held for as long as it is hidden from others. */
export interface HeldLetter {
  /** The message's id: the same as in the arrivals queue. */
  readonly id: string;
  readonly body: string;
  /** When it was first sent, epoch ms. */
  readonly sentAtMs: number;
  /** Proves the hold. */
  readonly receipt: string;
}

/** The dead-letter queue of the arrivals, which has no access by id: who looks for a message holds others meanwhile. */
export interface DeadLetterQueue {
  /** Holds up to ten messages for a minute; none if nobody else's hold leaves any. */
  take(): Promise<readonly HeldLetter[]>;
  /** Ends holds early. */
  putBack(letters: readonly HeldLetter[]): Promise<void>;
  /** Sends copies to the arrivals queue. @returns those that it took */
  resend(letters: readonly HeldLetter[]): Promise<readonly HeldLetter[]>;
  remove(letters: readonly HeldLetter[]): Promise<void>;
  /** About how many messages there are, held ones too. */
  depth(): Promise<number>;
}

/** Why the last try of a message failed. */
export interface ArrivalFailure {
  readonly code: string;
  readonly detail: string;
  /** How often the message has been received. */
  readonly tries: number;
  readonly atMs: number;
}

/** Failures by message: SQS moves a message to the dead-letter queue as it is, so the reason lies beside it. */
export interface FailureStore {
  /** Replaces what was noted of an earlier try. */
  note(message: string, failure: ArrivalFailure): Promise<void>;
  failureOf(message: string): Promise<(ArrivalFailure & { readonly firstAtMs: number }) | undefined>;
}
