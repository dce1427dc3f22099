import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { WeightedMean } from '../shared/core/aggregator/weighted-mean.ts';
import { randomFrom } from '../shared/core/random.ts';

const shapes = [
  { count: 10, parameters: 1_000_000 },
  { count: 50, parameters: 1_000_000 },
  { count: 10, parameters: 10_000_000 },
];
const runs = 5;
/** What one range GET brings at a time. */
const chunk = 64 * 1024;

/** The peer: one update after the other into a float64 sum, as Flower's `aggregate` does it with NumPy. */
const peer = `
import sys, time, json
import numpy as np
folder, count, parameters, runs = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
updates = [np.fromfile(f"{folder}/{i}.f32", dtype=np.float32) for i in range(count)]
weights = np.fromfile(f"{folder}/weights.f64", dtype=np.float64)
def mean():
    total = np.zeros(parameters, dtype=np.float64)
    for weight, update in zip(weights, updates):
        total += weight * update.astype(np.float64)
    return total
mean().tofile(f"{folder}/peer.f64")
seconds = []
for _ in range(runs):
    start = time.perf_counter(); mean(); seconds.append(time.perf_counter() - start)
print(json.dumps({"seconds": seconds, "version": np.__version__}))
`;

/** Prints GB/s of update bytes consumed on one thread, median of interleaved runs, with the peer's beside it. */
export async function aggregationBench(): Promise<void> {
  const hasPeer = spawnSync('python3', ['-c', 'import numpy']).status === 0;
  console.log(`weighted mean, one thread, ${cpus()[0]?.model}, Node ${process.version}`);
  if (!hasPeer) console.log('NumPy is not on python3: the peer is skipped');
  console.log('not measured: reading the updates from S3');
  console.log('   K          P   Tributary       NumPy   ratio');
  for (const { count, parameters } of shapes) {
    const folder = mkdtempSync(join(tmpdir(), 'tributary-bench-'));
    try {
      const { updates, weights } = makeUpdates(folder, count, parameters);
      const bytes = count * parameters * 4;
      const mine = timed(() => weightedMean(updates, weights), bytes);
      const row = `${String(count).padStart(4)} ${String(parameters).padStart(10)} ${rate(mine.rate)}`;
      if (!hasPeer) {
        console.log(row);
        continue;
      }
      const answer = execFileSync('python3', ['-c', peer, folder, String(count), String(parameters), String(runs)], {
        encoding: 'utf8',
        env: { ...process.env, OMP_NUM_THREADS: '1', OPENBLAS_NUM_THREADS: '1' },
      });
      requireEqual(mine.result, new Float64Array(readFileSync(join(folder, 'peer.f64')).buffer));
      const theirs = bytes / median(JSON.parse(answer).seconds) / 1e9;
      console.log(`${row} ${rate(theirs)} ${(mine.rate / theirs).toFixed(2).padStart(7)}`);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
}

function makeUpdates(folder: string, count: number, parameters: number) {
  const random = randomFrom('aggregation bench');
  const updates = Array.from({ length: count }, () =>
    Float32Array.from({ length: parameters }, () => random.next() - 0.5),
  );
  const weights = Float64Array.from({ length: count }, () => 1 / count);
  updates.forEach((update, i) => {
    writeFileSync(join(folder, `${i}.f32`), update);
  });
  writeFileSync(join(folder, 'weights.f64'), weights);
  return { updates, weights };
}

function weightedMean(updates: readonly Float32Array[], weights: Float64Array): Float64Array {
  const mean = new WeightedMean(updates[0].length);
  updates.forEach((update, i) => {
    mean.begin(weights[i]);
    for (let start = 0; start < update.length; start += chunk) mean.add(update.subarray(start, start + chunk));
  });
  return mean.finish();
}

function timed(compute: () => Float64Array, bytes: number): { result: Float64Array; rate: number } {
  const result = compute();
  const seconds = Array.from({ length: runs }, () => {
    const start = performance.now();
    compute();
    return (performance.now() - start) / 1000;
  });
  return { result, rate: bytes / median(seconds) / 1e9 };
}

function requireEqual(mine: Float64Array, theirs: Float64Array): void {
  const different = mine.findIndex((value, i) => Math.abs(value - theirs[i]) > 1e-12);
  if (different >= 0) throw new Error(`element ${different}: ${mine[different]} here, ${theirs[different]} in NumPy`);
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
const rate = (gigabytes: number) => `${gigabytes.toFixed(2)} GB/s`.padStart(11);
