import type fc from 'fast-check';
import { FlError } from '../../shared/core/errors.ts';

/** A parser under attack. */
export interface Target {
  readonly name: string;
  /** Inputs between valid and absurd. */
  readonly inputs: fc.Arbitrary<Uint8Array>;
  /** Valid inputs: these must be accepted, or the attack would be on nothing. */
  readonly valid: readonly Uint8Array[];
  /** Reads an input and checks what comes out of it. What it throws must be a refusal. */
  read(bytes: Uint8Array): unknown;
  /** Other refusals than an `FlError` with a code: those of an edge with error shapes of its own. */
  isRefusal?(error: unknown): boolean;
}

export type Outcome = 'accepted' | 'refused';

/** An accepted input that makes no sense, or a way out that is none. Never a refusal. */
export class Violation extends Error {
  override readonly name = 'Violation';
}

/** An input that whoever stands before the parser would have refused, as what is no JSON. */
export class NotReached extends Error {}

/** Longer ones do not fit where errors go: a record of DynamoDB, a log line, an answer. */
const longestMessage = 4_000;

/** Gives an input to a parser. @throws {Violation} unless it is accepted as it should be or refused with a code */
export async function attempt({ name, read, isRefusal }: Target, bytes: Uint8Array): Promise<Outcome> {
  const before = bytes.slice();
  const outcome = await settled(name, () => read(bytes), isRefusal);
  if (Object.keys(Object.prototype).length > 0) throw new Violation(`${name}: Object.prototype has members now`);
  if (Buffer.compare(bytes, before) !== 0) throw new Violation(`${name}: the input has been written to`);
  return outcome;
}

async function settled(name: string, read: () => unknown, isRefusal: Target['isRefusal']): Promise<Outcome> {
  try {
    await read();
    return 'accepted';
  } catch (error) {
    if (error instanceof Violation) throw error;
    if (error instanceof NotReached) return 'refused';
    const message = error instanceof Error ? error.message : String(error);
    const isKnown = error instanceof FlError ? /^[a-z][a-z0-9-]+$/.test(error.code) : isRefusal?.(error) === true;
    if (!isKnown) throw new Violation(`${name}: ${message.slice(0, 500)}`, { cause: error });
    if (message.length > longestMessage) throw new Violation(`${name}: an error of ${message.length} characters`);
    return 'refused';
  }
}

/** What must go well with an accepted input: a refusal would come too late. */
export async function surely<T>(what: string, act: () => T | Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (cause) {
    throw new Violation(what, { cause });
  }
}

/** For what an accepted input must satisfy. */
export function must(holds: boolean, what: string): void {
  if (!holds) throw new Violation(what);
}
