import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { pathToFileURL } from 'node:url';
import * as ort from 'onnxruntime-node';
import { afterAll, beforeAll, describe, expect, type TestContext, test } from 'vitest';
import { saveKeyFile } from '../../client/typescript/key-file-store.ts';
import { onnxParticipant } from '../../client/typescript/onnx.ts';
import { createTask } from '../../local/cli/create-task.ts';
import { buildModel } from '../../local/cli/model-spec.ts';
import { randomFrom } from '../../shared/core/random.ts';
import type { Samples } from '../../shared/core/samples.ts';
import { encodeHeldOut } from '../../shared/wire/held-out.ts';
import type { TaskConfigInput } from '../../shared/wire/task-config.ts';
import { withoutPython } from '../client/find-python.ts';
import { codeBlocks } from './code-blocks.ts';
import { type InstalledClient, installPythonClient, neededModules } from './python-package.ts';
import { pipe, shellIn } from './shell.ts';
import { freshAssembly, type RunningFederation, startFederation } from './small-federation.ts';

/** The Python client as pip installs it, its README and the examples, against the local cloud. */

const root = join(import.meta.dirname, '..', '..');
const features = 8;
const classes = 3;
const placeholder = 'https://ID.execute-api.eu-central-1.amazonaws.com';
const readme = (client: 'python' | 'typescript') => join(root, 'client', client, 'README.md');

let federation: RunningFederation;
let installed: InstalledClient | undefined;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tributary-python-client-'));
  installed = await installPythonClient();
  federation = await startFederation(await freshAssembly());
});
afterAll(async () => {
  await federation?.close();
  installed?.remove();
  rmSync(folder, { recursive: true, force: true });
});

function pythonOf(context: TestContext): InstalledClient {
  return installed ?? context.skip(withoutPython(...neededModules));
}

/** Three classes that a small network learns; each silo sees another part of the world. */
function examplesOf(silo: string, n = 240): Samples {
  const draw = randomFrom(silo);
  const centre = Array.from({ length: features }, () => draw.normal(0, 0.7));
  const x = Float32Array.from({ length: n * features }, (_, i) => draw.normal() + centre[i % features]);
  const y = Int32Array.from({ length: n }, (_, i) => {
    const [a, b, c, d, e, f] = x.subarray(i * features);
    const scores = [a + b, c + d, e * f];
    return scores.indexOf(Math.max(...scores));
  });
  return { x, y, n, shape: [features] };
}

/** A task over the network that `readme-blocks.py export` writes. */
async function createNetTask(config: TaskConfigInput, heldOut?: Samples): Promise<void> {
  const model = await buildModel({ onnx: join(folder, 'net.onnx') }, 1);
  await createTask(federation.api, config, model, heldOut ? { heldOut: encodeHeldOut(heldOut) } : {});
}

/** All that was uploaded was taken, but for what came too late for the last round. */
async function expectCompleted(task: string, version: number): Promise<void> {
  const { quarantine, ...found } = await federation.api.task(task);
  expect(found).toMatchObject({ task, state: 'completed', version });
  expect(quarantine.filter(({ reason }) => reason !== 'task-ended')).toEqual([]);
}

async function codeFor(client: string): Promise<string> {
  return (await federation.api.invite({ clients: [client] })).invitations[0].code;
}

/** A shell in a copy of an example, with the installed Python client. */
function exampleShell(name: string, python: InstalledClient): (script: string) => Promise<string> {
  const cwd = join(folder, name);
  cpSync(join(root, 'examples', name), cwd, { recursive: true });
  return shellIn(cwd, federation, { commands: { python: `exec '${python.command}' "$@"` }, env: python.env });
}

describe('the READMEs', () => {
  test("every block of the Python client's runs", async (context) => {
    const python = pythonOf(context);
    const script = join(import.meta.dirname, 'readme-blocks.py');
    await python.python(folder, script, 'export');
    for (const task of ['heart-disease', 'scans', 'ecg', 'triage']) {
      await createNetTask({ task, round: { buffer: 1 }, stop: { rounds: 2 } });
    }
    await createNetTask({ task: 'steps', round: { buffer: 1 } });
    const blocks = codeBlocks(readme('python'), 'python').map((block) =>
      block.replace(placeholder, federation.endpoint),
    );
    const input = JSON.stringify({ code: await codeFor('hospital-7'), blocks });
    const said = await pipe(python.command, [script], folder, input, python.env);
    expect(said).toContain(`block ${blocks.length} ran`);
    await federation.cloud.idle();
    for (const task of ['heart-disease', 'scans', 'ecg', 'triage']) {
      await expectCompleted(task, 2);
    }
    expect(await federation.api.task('steps')).toMatchObject({ version: 1, quarantine: [] });
    expect((await federation.api.client('hospital-7')).keys).toHaveLength(2);
  });

  test("every block of the TypeScript client's runs", async () => {
    const { package: built } = await buildModel({ kind: 'logistic-regression', features, classes }, 1);
    expect(built.layout.size).toBe(27);
    const blocks = codeBlocks(readme('typescript'), 'ts');
    for (const task of ['digits', 'digits-1']) {
      const model = await buildModel({ kind: 'logistic-regression', features, classes }, 1);
      await createTask(federation.api, { task, round: { buffer: 1 }, stop: { rounds: 2 } }, model, {});
    }
    const given = [
      `const code = ${JSON.stringify(await codeFor('phone-17'))};`,
      `const samples = { x: new Float32Array(80).fill(1), y: new Int32Array(10), n: 10, shape: [8] }, test = samples;`,
      `const myTrainer = async (values, layout, rate) => values.map((value) => value + rate);`,
    ];
    // One after the other in one module, each with a task of its own.
    const script = [
      ...given,
      ...blocks.map((block, i) => (i === 0 ? block : block.replace("'digits'", `'digits-${i}'`))),
    ]
      .join('\n')
      .replaceAll(placeholder, federation.endpoint)
      .replaceAll('./tributary/', `${pathToFileURL(root).href}/`)
      .replaceAll("'onnxruntime-node'", JSON.stringify(import.meta.resolve('onnxruntime-node')));
    writeFileSync(join(folder, 'readme.ts'), script);
    await pipe(process.execPath, [join(folder, 'readme.ts')], folder, '');
    await federation.cloud.idle();
    for (const task of ['digits', 'digits-1']) {
      await expectCompleted(task, 2);
    }
  });
});

describe('the examples', () => {
  test('three PyTorch silos learn together', async (context) => {
    const run = exampleShell('pytorch', pythonOf(context));
    const said = await run(codeBlocks(join(root, 'examples', 'pytorch', 'README.md'), 'sh').join('\n'));
    expect(said.match(/updates=8, examples=4800, reason='task-ended'/g), said).toHaveLength(3);
    expect(said).toMatch(/north +tributary-client\/0\.1\.0 python\/3\.\d+ torch\/\S+ +600 +0/);
    const [before, ...versions] = await federation.api.versions('pytorch');
    expect(before.evaluation).toBeUndefined();
    expect(versions.at(-1)?.evaluation?.accuracy).toBeGreaterThan(0.85);
  });

  test("Flower's NumPyClients train without Flower's server", async (context) => {
    const run = exampleShell('flower', pythonOf(context));
    await run(codeBlocks(join(root, 'examples', 'flower', 'README.md'), 'sh').join('\n'));
    const versions = await federation.api.versions('flower');
    expect(versions).toHaveLength(7);
    const measured = (version: number) => versions[version].clientMetrics.accuracy;
    expect(measured(6)).toBeGreaterThan(measured(1));
    await expectCompleted('flower', 6);
  });
});

test('a fleet of Node, Python with ONNX Runtime and PyTorch trains one model, with quantised updates', async (context) => {
  const python = pythonOf(context);
  await python.python(folder, join(import.meta.dirname, 'readme-blocks.py'), 'export');
  const silos = ['node', 'onnx', 'torch'];
  const heldOut = examplesOf('held out', 600);
  await createNetTask(
    {
      task: 'mixed',
      round: { mode: 'sync', buffer: 3, maxStaleness: 0 },
      training: { localEpochs: 3, batchSize: 16, learningRate: 0.1 },
      codecs: { upload: { kind: 'int8', rotate: true } },
      stop: { rounds: 6 },
    },
    heldOut,
  );
  const silo = async (name: string): Promise<string> => {
    const key = join(folder, `${name}.json`);
    await saveKeyFile(key, federation.endpoint, await federation.key(name));
    const data = join(folder, `${name}.safetensors`);
    writeFileSync(data, encodeHeldOut(examplesOf(name)));
    return python.python(folder, join(import.meta.dirname, 'python-silo.py'), name, key, 'mixed', data);
  };
  const node = await federation.client('node');
  const [ours, ...theirs] = await Promise.all([
    node.participate('mixed', onnxParticipant({ ort, samples: examplesOf('node') })),
    silo('onnx'),
    silo('torch'),
  ]);
  expect(ours).toMatchObject({ updates: 6, reason: 'task-ended' });
  expect(theirs.map((said) => said.trim())).toEqual(['6 task-ended', '6 task-ended']);
  await federation.cloud.idle();
  const versions = await federation.api.versions('mixed');
  const accuracies = versions.map(({ evaluation }) => evaluation?.accuracy ?? 0);
  expect(accuracies.at(-1)).toBeGreaterThan(0.75);
  expect(accuracies.at(-1)).toBeGreaterThan(accuracies[1]);
  const { contributors = [] } = await federation.api.version('mixed', 6);
  expect(contributors.map(({ client }) => client)).toEqual(silos);
  expect(contributors[0].agent).toMatch(/^tributary-client\/\S+ Node\.js\/\d+$/);
  expect(contributors[1].agent).toMatch(/^tributary-client\/0\.1\.0 python\/3\.\d+ onnxruntime\/\S+$/);
  expect(contributors[2].agent).toMatch(/^tributary-client\/0\.1\.0 python\/3\.\d+ torch\/\S+$/);
  await expectCompleted('mixed', 6);
  expect(federation.cloud.denials()).toEqual([]);
});

test('a key that its client replaces from the command line is the one that signs from then on', async (context) => {
  const { python } = pythonOf(context);
  const key = join(folder, 'rotating.json');
  const command = ['-m', 'tributary_client.command'];
  const { endpoint } = federation;
  await python(
    folder,
    ...command,
    'enrol',
    ...['--endpoint', endpoint, '--code', await codeFor('rotating'), '--client', 'rotating', '--out', key],
  );
  expect(await python(folder, ...command, 'rotate', '--key', key)).toContain('client rotating signs with a new key');
  const script = `
from tributary_client import Client
client = Client.from_key_file(${JSON.stringify(key)})
print(client.key.kid, client.request_ticket("mixed"))`;
  const [kid, answer] = (await python(folder, '-c', script)).split(' ');
  expect(answer).toMatch(/^Ended/);
  expect((await federation.api.client('rotating')).keys.map((each) => each.kid).indexOf(kid)).toBe(1);
});
