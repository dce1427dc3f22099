import { z } from 'zod';

/** `GET /v1/dead-letters` (operator). */
export interface DeadLettersResponse {
  /** Oldest first, 100 at most. */
  readonly deadLetters: readonly DeadLetter[];
  /** About how many there are: more than are listed if there are many, or while somebody else looks. */
  readonly total: number;
}

/** A message that failed as often as it may. */
export interface DeadLetter {
  readonly id: string;
  /** An upload's event, a deadline's note, or nothing that Tributary knows. */
  readonly kind: 'upload' | 'deadline' | 'unreadable';
  readonly task?: string;
  readonly ticket?: string;
  readonly sentAtMs: number;
  readonly firstFailedAtMs?: number;
  readonly lastFailedAtMs?: number;
  readonly tries?: number;
  /** Code of the last error; `not-recorded` if the function had no time to say. */
  readonly reason: string;
  readonly detail: string;
  /** Its first 1,000 characters. */
  readonly body: string;
}

/** Body of `POST /v1/dead-letters/redrive` and `/v1/dead-letters/drop` (operator). */
export const deadLetterChoiceSchema = z.union([
  z.strictObject({ all: z.literal(true) }),
  z.strictObject({ messages: z.array(z.string().min(1).max(100)).min(1).max(100) }),
]);
export type DeadLetterChoice = z.output<typeof deadLetterChoiceSchema>;

export interface DeadLettersMoved {
  readonly moved: readonly string[];
  /** Of those asked for by id. */
  readonly missing: readonly string[];
  /** Time ran out before the end of the queue: ask again. */
  readonly more: boolean;
}
