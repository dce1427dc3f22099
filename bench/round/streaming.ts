import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { planTiles } from '../../shared/core/plan/tiles.ts';
import { PeerProcess } from '../peers/peer-process.ts';
import { bundle } from './bundle.ts';
import { fileStore } from './file-store.ts';
import { startLocalS3 } from './local-s3.ts';
import type { Meters } from './meters.ts';
import { servePlainBody } from './plain-body.ts';
import { line, median, medianRun, rate, shares } from './report.ts';
import { seedRound } from './seed.ts';
import { WorkerProcess, type WorkOrder } from './worker-process.ts';

const [count, parameters] = [16, 10_000_000];
const repetitions = 5;
const flags = ['--max-semi-space-size=1'];
const sources = ['s3', 'discard', 'socket', 'http', 'files'] as const;
type Runs = Record<(typeof sources)[number], Meters[]>;

/** The mean, streaming: how far reading brings it below what memory could do, and what two processes make of two cores. */
export async function streaming(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'tributary-bench-streaming-'));
  const worker = join(folder, 'worker.mjs');
  bundle('worker.ts', worker);
  const s3 = await startLocalS3();
  const source = await servePlainBody(4 * count * parameters);
  const peer = PeerProcess.start('aggregation.py', 'numpy');
  try {
    const plan = { tiles: planTiles(parameters, 4), levels: [1] };
    const onS3 = await seedRound(s3.destination, { count, parameters, plan });
    const files = fileStore(folder);
    const putUpdate = (key: string, bytes: Uint8Array) => files.createOnce(key, bytes).then(() => 'file');
    const onFiles = await seedRound({ models: files, putUpdate }, { count, parameters, plan });
    const halves = [0, 1].map((half) => onFiles.cells.filter(({ cell }) => cell % 2 === half));
    const start = () => WorkerProcess.start(worker, s3.environment, flags);
    const [one, other] = [await start(), await start()];
    const plain = { port: source.port, bytes: 4 * count * parameters };
    const orders = {
      s3: { cells: onS3.cells },
      discard: { cells: onS3.cells, discard: true },
      socket: { cells: [], plain: { ...plain, client: 'socket' } },
      http: { cells: [], plain: { ...plain, client: 'http' } },
      files: { cells: onFiles.cells, folder },
      twice: { cells: halves[1], folder },
    } satisfies Record<string, WorkOrder>;
    for (const order of Object.values(orders)) await Promise.all([one.run(order), other.run(order)]);

    const { offered } = await offerOf(peer);
    await peer?.ask({ do: 'load', kind: 'rows', count: 10, parameters });
    const reads: number[] = [];
    const runs: Runs = { s3: [], discard: [], socket: [], http: [], files: [] };
    const pairs: { readonly meters: readonly Meters[]; readonly wallMs: number }[] = [];
    for (let repetition = 0; repetition < repetitions; repetition++) {
      for (const name of sources) runs[name].push(await one.run(orders[name]));
      const startedMs = performance.now();
      const meters = await Promise.all([one.run({ cells: halves[0], folder }), other.run(orders.twice)]);
      pairs.push({ meters, wallMs: performance.now() - startedMs });
      if (offered)
        reads.push(1000 * ((await peer?.ask<{ seconds: number }>({ do: 'run', name: 'read' }))?.seconds ?? 0));
    }
    one.close();
    other.close();
    print(onS3.bytes, runs, reads);
    printPair(onS3.bytes, runs.files, pairs);
  } finally {
    peer?.close();
    source.close();
    await s3.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function offerOf(peer: PeerProcess | undefined): Promise<{ offered: boolean }> {
  const answer = await peer?.ask<{ functions: readonly string[] }>({ do: 'offer' });
  return { offered: answer?.functions.includes('read') ?? false };
}

function print(bytes: number, runs: Runs, reads: number[]) {
  console.log(`\nmean, streaming: ${count} x ${parameters / 1e6}M, one process, medians of ${repetitions} in turns`);
  line('', 'GB/s CPU', 'GB/s wall', 'of C read', 'of socket');
  const memory = reads.length > 0 ? (4 * 10 * parameters) / median(reads) : undefined;
  const [s3, discard, socket, http, files] = sources.map((name) => medianRun(runs[name]));
  const row = (label: string, { cpuMs, wallMs }: Meters) => {
    const share = memory === undefined ? '-' : percent(bytes / cpuMs / memory);
    line(label, rate(bytes, cpuMs), rate(bytes, wallMs), share, percent(socket.cpuMs / cpuMs));
  };
  row('mean from a local S3 body', s3);
  console.log(`    CPU: ${shares(s3)}; idle ${percent(s3.idleMs / s3.wallMs)} of the wall time`);
  row('the same bodies, read and thrown away', discard);
  row('one body from memory, a socket into one buffer', socket);
  row("one body from memory, Node's http.get", http);
  row('mean from files', files);
  console.log(`    CPU: ${shares(files)}`);
  line('the kernels alone, within the S3 run', rate(bytes, s3.kernelMs));
  if (memory === undefined) console.log('    no C compiler or NumPy: the streaming read was not measured');
  else line('C streaming read, one thread', `${(memory / 1e6).toFixed(2)} GB/s`);
}

const percent = (share: number) => `${(100 * share).toFixed(1)}%`;

function printPair(
  bytes: number,
  singles: readonly Meters[],
  pairs: readonly { readonly meters: readonly Meters[]; readonly wallMs: number }[],
) {
  const wall = median(singles.map(({ wallMs }) => wallMs));
  const pairWall = median(pairs.map(({ wallMs }) => wallMs));
  const cpu = median(singles.map(({ cpuMs }) => cpuMs));
  const pairCpu = median(pairs.map(({ meters }) => Math.max(...meters.map(({ cpuMs }) => cpuMs))));
  console.log(
    '\ntwo workers, half of the ranges each, against one; from files: one S3 process would be the bottleneck',
  );
  line('', 'one', 'two', 'ratio');
  line('wall', rate(bytes, wall), rate(bytes, pairWall), (wall / pairWall).toFixed(2));
  line('CPU of the busier worker', rate(bytes, cpu), rate(bytes, pairCpu), (cpu / pairCpu).toFixed(2));
  console.log('    bar 1.8 on the wall, both cores idle; on a busy machine only the CPU row says anything');
}
