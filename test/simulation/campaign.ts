import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { simulate } from './simulate.ts';
import { emptyTally, merge, type Tally } from './tally.ts';

const usage = `node test/simulation/campaign.ts [--runs 1000] [--seed 1] [--workers 1] [--keep-going]
node test/simulation/campaign.ts --replay SEED`;

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '1000' },
    seed: { type: 'string', default: '1' },
    workers: { type: 'string', default: '1' },
    replay: { type: 'string' },
    'keep-going': { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

/** Seeds that a worker runs between two reports. */
const batch = 25;

if (values.help) console.log(usage);
else if (values.replay !== undefined) await replay(values.replay);
else await campaign(Number(values.seed), Number(values.runs), Number(values.workers), values['keep-going']);

/** Prints everything that happens in one run, and what is wrong with the end of it. */
async function replay(seed: string): Promise<void> {
  const { violations } = await simulate(seed, { trace: (line) => console.log(line) });
  for (const violation of violations) console.log(violation);
  console.log(
    violations.length === 0 ? `seed ${seed}: the laws held` : `seed ${seed}: ${violations.length} violations`,
  );
  if (violations.length > 0) process.exitCode = 1;
}

/** Runs seeds in workers until one fails, or all of them. */
async function campaign(first: number, runs: number, workers: number, keepsGoing: boolean): Promise<void> {
  const startMs = performance.now();
  const last = first + runs;
  let next = first;
  let tally = emptyTally();
  let reportedMs = startMs;
  const failed = () => tally.failures.length > 0 && !keepsGoing;
  const work = async () => {
    const worker = new Worker(new URL('./campaign-worker.ts', import.meta.url), {
      // What a run leaves behind dies young: with more room less of it is moved.
      resourceLimits: { maxYoungGenerationSizeMb: 64 },
    });
    while (next < last && !failed()) {
      const seeds = Array.from({ length: Math.min(batch, last - next) }, (_, i) => next + i);
      next += seeds.length;
      const batchTally = await ask(worker, seeds);
      tally = merge(tally, batchTally);
      for (const failure of batchTally.failures) console.log(described(failure));
      if (performance.now() - reportedMs > 10_000) {
        reportedMs = performance.now();
        console.log(progress(tally, runs, performance.now() - startMs));
      }
    }
    await worker.terminate();
  };
  await Promise.all(Array.from({ length: workers }, work));
  console.log(progress(tally, runs, performance.now() - startMs));
  for (const [event, count] of [...tally.counts].sort(([a], [b]) => (a < b ? -1 : 1))) {
    console.log(`  ${String(count).padStart(10)}  ${event}`);
  }
  const [failure] = tally.failures.toSorted((a, b) => a.seed - b.seed);
  if (!failure) return;
  if (!keepsGoing) await replay(String(failure.seed));
  process.exitCode = 1;
}

function described({ seed, violations }: Tally['failures'][number]): string {
  return `seed ${seed}: ${violations.join('; ')}`;
}

async function ask(worker: Worker, seeds: readonly number[]): Promise<Tally> {
  worker.postMessage(seeds);
  const [tally] = await once(worker, 'message');
  return tally;
}

function progress({ runs, failures, versions, admitted, actions }: Tally, of: number, ms: number): string {
  const rate = (runs / (ms / 1000)).toFixed(1);
  return `${runs} of ${of} runs, ${failures.length} failed; ${versions} versions, ${admitted} updates admitted, ${actions} actions; ${rate} runs/s`;
}
