import { parentPort } from 'node:worker_threads';
import { simulate } from './simulate.ts';
import { emptyTally, tallied } from './tally.ts';

// Errors are part of a day's work here, and nobody reads where they came from: a failing seed is replayed with its trace.
Error.stackTraceLimit = 0;

/** Runs the seeds that it is sent and answers with their tally. */
parentPort?.on('message', async (seeds: readonly number[]) => {
  let tally = emptyTally();
  for (const seed of seeds) tally = tallied(tally, seed, await simulate(seed));
  parentPort?.postMessage(tally);
});
