import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { createTask } from '../../local/cli/create-task.ts';
import { buildModel } from '../../local/cli/model-spec.ts';
import { OperatorApi } from '../../local/cli/operator-api.ts';
import { synthesize } from '../../local/cli/synthesize.ts';
import { type Cloud, startCloud } from '../../local/cloud/cloud.ts';
import { type CpuTimes, cpuTimes } from './cpu-times.ts';
import { meterFunction, readErrors, readLogs } from './metered-function.ts';
import { sumOf } from './meters.ts';
import { line, rate, seconds, shares } from './report.ts';

const count = 20;
/** 10,000,010 parameters: 40 MB. */
const model = { kind: 'logistic-regression', features: 1_000_000, classes: 10 } as const;
const task = 'bench';
const published = 'exited Publish';

/** Flower 1.28's wall time of a round with trivial clients, 20 x 10M, on this kind of machine: facts of November 2026, not measured here. */
const flower = { 'Ray simulation': 2.0, SuperLink: 14.9 };

interface Round {
  /** Epoch milliseconds of what happened. */
  readonly timeline: Map<string, number>;
  /** At the first upload and at the published version. */
  readonly cpu: CpuTimes[];
  parameters: number;
}

/** One round of 20 updates of 10M float32 through the local cloud. */
export async function endToEnd(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'tributary-bench-round-'));
  try {
    const assembly = join(folder, 'assembly');
    await synthesize(assembly);
    meterFunction(assembly, 'Aggregate');
    const cloud = await startCloud({ assembly, dir: join(folder, 'state') });
    cloud.warm();
    const round = await runRound(cloud).finally(() => cloud.close());
    print(round, cloud.logs);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function runRound(cloud: Cloud): Promise<Round> {
  const timeline = new Map<string, number>();
  const cpu: CpuTimes[] = [];
  const script = join(import.meta.dirname, 'clients.ts');
  const endpoint = cloud.outputs.ApiUrl.replace(/\/+$/, '');
  const { region, ...credentials } = cloud.credentials;
  const api = new OperatorApi({ url: endpoint, region, credentials: async () => credentials });
  const built = await buildModel(model, 1);
  const round = { mode: 'sync', buffer: count, minimum: count, maxStaleness: 0 } as const;
  await createTask(api, { task, round, stop: { rounds: 1 } }, built, {});
  const args = [script, '--endpoint', endpoint, '--task', task];
  const clients = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const names = Array.from({ length: count }, (_, i) => `c${i}`);
  const { invitations } = await api.invite({ clients: names });
  clients.stdin.write(`${JSON.stringify(invitations)}\n`);
  const ended = new Promise<void>((resolve) => {
    cloud.states.onTransition(({ phase, state }) => {
      const event = `${phase} ${state}`;
      if (!timeline.has(event)) timeline.set(event, Date.now());
      if (event === published) cpu.push(cpuTimes(cloud, clients.pid));
      if (phase === 'ended') resolve();
    });
  });
  cloud.onMetrics(({ timestamp, metrics }) => {
    if (metrics.UpdatesAdmitted) timeline.set('admitted', timestamp);
  });
  for await (const text of createInterface({ input: clients.stdout })) {
    const { event, atMs } = JSON.parse(text);
    timeline.set(event, atMs);
    if (event === 'upload') cpu.push(cpuTimes(cloud, clients.pid));
    if (event === 'uploaded') break;
  }
  if (!timeline.has('uploaded')) throw new Error('the clients ended before all was uploaded');
  await ended;
  clients.stdin.end();
  const { version } = await api.task(task);
  if (version !== 1) throw new Error(`the task is at version ${version}\n${readErrors(cloud.logs)}`);
  return { timeline, cpu, parameters: built.package.layout.size };
}

function print({ timeline, cpu, parameters }: Round, logs: string): void {
  const at = (event: string) => {
    const ms = timeline.get(event);
    if (ms === undefined) throw new Error(`the round has no "${event}"`);
    return ms;
  };
  const between = (from: string, to: string) => seconds(at(to) - at(from));
  console.log(`\none round of ${count} x ${parameters / 1e6}M float32 through the local cloud, wall time`);
  line('first upload to published version', between('upload', published));
  line('  uploads (4 at once; admission beside them)', between('upload', 'uploaded'));
  line('  last upload stored to last update admitted', between('uploaded', 'admitted'));
  line('  last update admitted to round started', between('admitted', 'entered Freeze'));
  line('  freeze', between('entered Freeze', 'exited Freeze'));
  line('  aggregate (2 processes)', between('exited Freeze', 'entered Publish'));
  line('  publish', between('entered Publish', published));
  line('then: evaluate (no held-out set) and settle', between(published, 'exited Settle'));
  line('before: 20 tickets, 20 model downloads', between('start', 'tickets'), between('tickets', 'models'));
  const { functions, meters } = readLogs(logs);
  const total = sumOf(meters);
  const bytes = 4 * count * parameters;
  console.log(`  the aggregate function: ${meters.length} invocations`);
  line('    in the WASM kernels, CPU', seconds(total.kernelMs), rate(bytes, total.kernelMs));
  line('    all CPU', seconds(total.cpuMs), rate(bytes, total.cpuMs));
  console.log(`      ${shares(total)}`);
  line('    waiting for S3, wall', seconds(total.idleMs));
  line('    all wall', seconds(total.wallMs));
  console.log('  functions, summed over their invocations');
  for (const [name, { invocations, wallMs }] of functions) {
    if (invocations > 0) line(`    ${name} x ${invocations}`, seconds(wallMs));
  }
  printCpu(cpu);
  const whole = (at(published) - at('upload')) / 1000;
  const withModels = whole + (at('models') - at('start')) / 1000;
  console.log('  Flower 1.28, a round of 20 x 10M with trivial clients, published before and not run here:');
  for (const [label, theirs] of Object.entries(flower)) {
    line(
      `    ${label}`,
      `${theirs.toFixed(1)} s`,
      `x ${(theirs / whole).toFixed(2)}`,
      `x ${(theirs / withModels).toFixed(2)}`,
    );
  }
  console.log('    theirs over ours: from the first upload, and with tickets and downloads of the model');
}

function printCpu([before, after]: readonly CpuTimes[]): void {
  const spent = [...after].map(([who, ms]) => ({ who, ms: ms - (before.get(who) ?? 0) })).filter(({ ms }) => ms >= 50);
  console.log('  CPU between the first upload and the published version');
  for (const { who, ms } of spent) line(`    ${who}`, seconds(ms));
  const total = spent.reduce((sum, { ms }) => sum + ms, 0);
  line('    all; two idle cores take half of it at best', seconds(total), seconds(total / 2));
}
