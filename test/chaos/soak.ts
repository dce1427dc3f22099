import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { OperatorApi } from '../../local/cli/operator-api.ts';
import { synthesize } from '../../local/cli/synthesize.ts';
import { KillableCloud } from './killable-cloud.ts';
import { RawCloud } from './raw-cloud.ts';
import { agedItems } from './soak/aged.ts';
import { chart } from './soak/chart.ts';
import { declareSoak, enrolLoad, type Load, runLoad } from './soak/load.ts';
import { findings, panelsOf, type TimedSample, toCsv } from './soak/report.ts';
import { sample } from './soak/sample.ts';

const usage = `node test/chaos/soak.ts [--minutes 60] [--clients 1000] [--updates 23000] [--buffer 20] [--sample-seconds 30]
  [--seed 1] [--out tributary-out/soak] [--json]`;

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '60' },
    clients: { type: 'string', default: '1000' },
    updates: { type: 'string', default: '23000' },
    buffer: { type: 'string', default: '20' },
    'sample-seconds': { type: 'string', default: '30' },
    seed: { type: 'string', default: '1' },
    out: { type: 'string', default: 'tributary-out/soak' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
/** With gigabytes allowed, V8 takes its time to give back what it does not need. A leak ends this cloud, and slack does not look like one. */
const v8Options = ['--max-old-space-size=96', '--max-semi-space-size=8'];
/** Every so many samples count what lies in tables and buckets. */
const deepEvery = 5;

if (values.help) console.log(usage);
else await main();

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'tributary-soak-'));
  const [assembly, state] = [join(folder, 'assembly'), join(folder, 'state')];
  console.error('synthesizing the stack');
  await synthesize(assembly);
  const cloud = new KillableCloud({ assembly, state }, (line) => console.error(line), v8Options);
  try {
    await cloud.start();
    const samples = await soak(cloud, state);
    await cloud.kill();
    const aged = await agedItems({ assembly, state });
    mkdirSync(values.out, { recursive: true });
    writeFileSync(join(values.out, 'soak.csv'), toCsv(samples));
    writeFileSync(join(values.out, 'soak.svg'), chart(panelsOf(samples)));
    const found = findings(samples, aged);
    writeFileSync(join(values.out, 'soak.json'), JSON.stringify(found, undefined, 2));
    if (values.json) console.log(JSON.stringify(found));
    else for (const line of found.lines) console.log(line);
    if (found.conclusive && found.grows.length > 0) process.exitCode = 1;
  } finally {
    await cloud.kill();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function soak(cloud: KillableCloud, state: string): Promise<readonly TimedSample[]> {
  const { address } = cloud;
  const load: Load = {
    clients: Number(values.clients),
    updates: Number(values.updates),
    ms: Number(values.minutes) * 60_000,
    buffer: Number(values.buffer),
    seed: Number(values.seed),
  };
  const raw = new RawCloud(address);
  const api = new OperatorApi({
    url: address.endpoint,
    region: address.region,
    credentials: async () => address.credentials,
  });
  const task = await declareSoak(api, load);
  console.error(`enrolling ${load.clients} clients`);
  const keys = await enrolLoad(api, address.endpoint, load.clients);
  const over = new AbortController();
  let updates = 0;
  const uploaded = (total: number) => {
    updates = total;
  };
  const loading = runLoad(address.endpoint, keys, load, { signal: over.signal, uploaded });
  loading.catch((error: unknown) => over.abort(error));
  const samples: TimedSample[] = [];
  const startMs = performance.now();
  try {
    for (let i = 0; ; i++) {
      const minutes = (performance.now() - startMs) / 60_000;
      const isLast = minutes * 60_000 >= load.ms || updates >= load.updates;
      const seen = await sample(cloud, raw, { state, deep: isLast || i % deepEvery === 0 });
      const { version } = await api.task(task);
      samples.push({ minutes, updates, version, ...seen });
      console.error(
        `${minutes.toFixed(1)} min: version ${version}, ${updates} updates, cloud ${seen['rssMb.cloud'].toFixed(0)} MB (heap ${seen['heapMb.cloud'].toFixed(0)}), functions ${seen['rssMb.functions'].toFixed(0)} MB in ${seen.processes}, queue ${seen['queue.arrivals']}`,
      );
      if (isLast) return samples;
      over.signal.throwIfAborted();
      await sleep(Number(values['sample-seconds']) * 1000);
    }
  } finally {
    over.abort(new Error('the time is over'));
    await loading.catch(() => {});
    raw.close();
  }
}
