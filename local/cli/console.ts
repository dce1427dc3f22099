import type { Colors } from 'picocolors/types.js';

/** Where a command reads and writes; tests bring their own. */
export interface Console {
  /** One line of result. With --json it is JSON and nothing else. */
  out(line: string): void;
  /** One line for the person who watches. */
  err(line: string): void;
  /** For `err`. */
  readonly colors: Colors;
  /** For `out`, which may go to a file while the person watches `err`. */
  readonly outColors: Colors;
  /** True if stderr is a terminal that can be drawn on. */
  readonly live: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Aborts at Ctrl-C. */
  readonly signal: AbortSignal;
}

/** The person's mistake: one line, exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
