import { once } from 'node:events';
import type { Console } from '../console.ts';
import { type FinishedRun, runStart } from './run.ts';
import type { StartOptions } from './settings.ts';
import { summaryLines } from './summary.ts';

/** Runs `start` and says how it went: JSON on stdout, or a summary for a person. With --keep it stays until Ctrl-C. */
export async function startAndReport(options: StartOptions, console: Console): Promise<void> {
  const { outcome, own } = await runStart(options, console);
  try {
    if (options.json) console.out(JSON.stringify(outcome));
    else for (const line of summaryLines(outcome, options, console.outColors)) console.out(line);
    if (options.keep) await waitForInterrupt({ outcome, own }, console);
  } finally {
    await own.close('done');
  }
}

async function waitForInterrupt({ outcome, own }: FinishedRun, console: Console): Promise<void> {
  for (const line of [
    `  The local cloud is running at ${own.endpoint}. From another shell in this folder:`,
    `    npx tributary task show ${outcome.task}`,
    `    npx tributary model get ${outcome.task} --out model`,
    '    npx tributary task create examples/task.yaml',
    '  Ctrl-C ends it; its state stays in .tributary/kept for the next start --keep.',
  ]) {
    console.err(line);
  }
  // The servers are unref'd or not: this holds the process.
  const alive = setInterval(() => {}, 60_000);
  if (!console.signal.aborted) await once(console.signal, 'abort');
  clearInterval(alive);
}
