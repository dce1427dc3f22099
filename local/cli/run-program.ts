import { CommanderError } from 'commander';
import { FlError } from '../../shared/core/errors.ts';
import { type Console, UsageError } from './console.ts';
import { ExitCode } from './exit.ts';
import { createProgram } from './program.ts';

/** Codes of errors that are the caller's to correct: as wrong usage, exit code 2. */
const usageCodes = new Set(['option-invalid', 'key-missing', 'key-exposed']);

/** Runs a command line. @param args without the program's name @returns the exit code */
export async function runProgram(args: readonly string[], console: Console): Promise<number> {
  const program = createProgram(console);
  try {
    await program.parseAsync([...args], { from: 'user' });
    return 0;
  } catch (error) {
    if (console.signal.aborted) {
      console.err('interrupted');
      return 130;
    }
    if (error instanceof ExitCode) return error.exitCode;
    // Commander has said what is wrong, or printed the help that was asked for.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    if (error instanceof UsageError || (error instanceof FlError && usageCodes.has(error.code))) {
      console.err(`error: ${error.message}`);
      return 2;
    }
    console.err(console.colors.red(`error: ${error instanceof Error ? error.message : String(error)}`));
    if (!(error instanceof FlError) && error instanceof Error) console.err(console.colors.dim(error.stack ?? ''));
    return 1;
  }
}
