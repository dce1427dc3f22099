import { spawn, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { saveKeyFile } from '../client/typescript/key-file-store.ts';
import { memoryKeys } from '../client/typescript/key-store.ts';
import { createTask } from '../local/cli/create-task.ts';
import { readEncodingFile } from '../local/cli/data-files.ts';
import { issueKeys } from '../local/cli/issue-keys.ts';
import { buildModel, type ModelFamily } from '../local/cli/model-spec.ts';
import { OperatorApi } from '../local/cli/operator-api.ts';
import { synthesize } from '../local/cli/synthesize.ts';
import { startCloud } from '../local/cloud/cloud.ts';

const root = join(import.meta.dirname, '..');
const flags = ['--max-old-space-size=128', '--max-semi-space-size=1'];
const updates = 3;

/** All read the six features of examples/edge/meters.csv. */
const models: Readonly<Record<string, ModelFamily>> = {
  'logistic regression, 14': { kind: 'logistic-regression', features: 6, classes: 2 },
  'MLP, 1.0M': { kind: 'mlp', features: 6, hidden: [1_000, 1_000], classes: 2 },
  'MLP, 10.0M': { kind: 'mlp', features: 6, hidden: [3_158, 3_158], classes: 2 },
};

/** Written by the process itself as it ends: the high-water mark of its resident memory. */
const preload = `import { readFileSync, writeSync } from 'node:fs';
process.on('exit', () => {
  const status = readFileSync('/proc/self/status', 'utf8');
  const used = process.cpuUsage();
  const peakKiB = Number(/^VmHWM:\\s+(\\d+)/m.exec(status)[1]);
  writeSync(2, 'measured ' + JSON.stringify({ peakKiB, cpuMs: (used.user + used.system) / 1000 }) + '\\n');
});`;

interface Measured {
  readonly peakKiB: number;
  readonly cpuMs: number;
}

/**
 * Peak resident memory (VmHWM) of a client that trains three updates, each in a process of its own. Not under a limit: that takes a memory
 * cgroup, because V8 does not start under limits on address space or data, of which it reserves many times what it uses. Linux only.
 * @param args `--only TEXT`: models whose name has it
 */
export async function edgeBench(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({ args: [...args], options: { only: { type: 'string', default: '' } } });
  if (process.platform !== 'linux') throw new RangeError('this benchmark reads /proc/self/status: Linux only');
  const folder = mkdtempSync(join(tmpdir(), 'tributary-bench-edge-'));
  const at = (...names: string[]) => join(folder, ...names);
  console.log(`edge, ${cpus().length} x ${cpus()[0]?.model}, Node ${process.version}, ${flags.join(' ')}`);
  const assembly = at('assembly');
  await synthesize(assembly);
  const cloud = await startCloud({ assembly, dir: at('state') });
  try {
    prepare(folder);
    const endpoint = cloud.outputs.ApiUrl.replace(/\/+$/, '');
    const { region, ...credentials } = cloud.credentials;
    const api = new OperatorApi({ url: endpoint, region, credentials: async () => credentials });
    const key = at('key.json');
    const [identity] = await issueKeys(api, endpoint, ['edge'], { keysOf: memoryKeys });
    await saveKeyFile(key, endpoint, identity);
    const encoding = await readEncodingFile(at('encoding.json'));
    const data = at('meters.csv');
    const own = ['run', '--key', key, '--data', data];
    const clients: Readonly<Record<string, readonly string[]>> = {
      'one file, wasm': [at('wasm', 'client.mjs'), ...own],
      'one file, native': [at('native', 'client.mjs'), ...own],
      'client run': [
        ...[join(root, 'local', 'cli', 'main.ts'), 'client', 'run', '--key', key],
        ...['--dataset', 'csv', '--data-file', data],
      ],
    };
    let tasks = 0;
    for (const [name, model] of Object.entries(models).filter(([name]) => name.includes(values.only))) {
      const built = await buildModel(model, 1);
      for (const [client, command] of Object.entries(clients)) {
        const task = `edge-${tasks++}`;
        const training = { localEpochs: 2, batchSize: 8, learningRate: 0.01 };
        await createTask(api, { task, round: { buffer: 1 }, training }, built, { encoding });
        const more = ['--task', task, '--updates', String(updates), '--store', at(`update-${task}`)];
        const { peakKiB, cpuMs } = await measure([...command, ...more], at('preload.mjs'));
        await cloud.idle();
        const { updates: counted } = await api.task(task);
        if (counted.aggregated !== updates) throw new Error(`${name}, ${client}: ${counted.aggregated} counted`);
        console.log(
          `  ${name.padEnd(26)}${client.padEnd(18)}${String(Math.round(peakKiB / 1024)).padStart(5)} MiB${(cpuMs / 1000).toFixed(1).padStart(8)} s CPU`,
        );
      }
    }
  } finally {
    await cloud.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The one file twice, once with onnxruntime-node beside it; the encoding; what measures. */
function prepare(folder: string): void {
  const run = (script: string, ...args: string[]) => {
    const { status, stderr } = spawnSync(process.execPath, [join(root, script), ...args], {
      cwd: folder,
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(`${script} ${args.join(' ')}: ${stderr}`);
  };
  cpSync(join(root, 'examples', 'edge', 'meters.csv'), join(folder, 'meters.csv'));
  run(
    'local/cli/main.ts',
    'data',
    'summary',
    'meters.csv',
    '--label',
    'occupied',
    '--test-share',
    '0',
    '--out',
    'summary.json',
  );
  run('local/cli/main.ts', 'data', 'agree', 'summary.json', '--out', 'encoding.json');
  run('examples/edge/build.ts', join('wasm', 'client.mjs'));
  cpSync(join(folder, 'wasm'), join(folder, 'native'), { recursive: true });
  mkdirSync(join(folder, 'native', 'node_modules'));
  for (const name of ['onnxruntime-node', 'onnxruntime-common']) {
    symlinkSync(join(root, 'node_modules', name), join(folder, 'native', 'node_modules', name));
  }
  writeFileSync(join(folder, 'preload.mjs'), preload);
}

async function measure(args: readonly string[], preloaded: string): Promise<Measured> {
  const node = [...flags, `--import=${preloaded}`, ...args];
  const child = spawn(process.execPath, node, { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.on('data', (chunk) => {
    said += chunk;
  });
  const status = await new Promise((resolve, reject) => child.once('error', reject).once('close', resolve));
  const [, found] = /^measured (.*)$/m.exec(said) ?? [];
  if (status !== 0 || found === undefined)
    throw new Error(`${args.join(' ')} ended with ${status}: ${said.slice(-2000)}`);
  return JSON.parse(found);
}
