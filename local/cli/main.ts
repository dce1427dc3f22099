import process from 'node:process';
import picocolors from 'picocolors';
import { runProgram } from './run-program.ts';

const interrupted = new AbortController();
/** One Ctrl-C may arrive twice, from the terminal's group and from whoever started this; a later one is meant. */
const sameSignalMs = 1_000;
let firstSignalMs = Number.POSITIVE_INFINITY;
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(name, () => {
    if (performance.now() - firstSignalMs > sameSignalMs) process.exit(130);
    firstSignalMs = Math.min(firstSignalMs, performance.now());
    interrupted.abort(new Error('interrupted'));
  });
}
// `tributary task list | head` closes the pipe early; that is no fault.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));

const live = process.stderr.isTTY === true && process.env.TERM !== 'dumb' && process.env.CI === undefined;
const colorful = !process.env.NO_COLOR;
const code = await runProgram(process.argv.slice(2), {
  out: (line) => process.stdout.write(`${line}\n`),
  err: (line) => process.stderr.write(`${line}\n`),
  colors: picocolors.createColors(colorful && process.stderr.isTTY === true),
  outColors: picocolors.createColors(colorful && process.stdout.isTTY === true),
  live,
  env: process.env,
  signal: interrupted.signal,
});
process.exitCode = code;
// A local service that did not close, or a socket kept alive, must not hold the terminal.
setTimeout(() => process.exit(code), 3_000).unref();
