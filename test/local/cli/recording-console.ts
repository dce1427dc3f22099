import picocolors from 'picocolors';
import type { Console } from '../../../local/cli/console.ts';
import { runProgram } from '../../../local/cli/run-program.ts';

/** Runs a command line in this process and keeps what it printed. */
export async function runHere(
  args: readonly string[],
  { env = {}, signal = new AbortController().signal }: { env?: Record<string, string>; signal?: AbortSignal } = {},
): Promise<{ code: number; out: string; err: string }> {
  const out: string[] = [];
  const err: string[] = [];
  const colors = picocolors.createColors(false);
  const console: Console = {
    out: (line) => out.push(line),
    err: (line) => err.push(line),
    colors,
    outColors: colors,
    live: false,
    env,
    signal,
  };
  const code = await runProgram(args, console);
  return { code, out: out.join('\n'), err: err.join('\n') };
}
