import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as ort from 'onnxruntime-node';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { loadFederation } from '../../local/data/load-federation.ts';
import { randomFrom } from '../../shared/core/random.ts';
import { parseSafetensors } from '../../shared/wire/safetensors.ts';

import exported from '../vectors/onnx/exported.json' with { type: 'json' };

const root = join(import.meta.dirname, '..', '..');
const data = join(root, '..', 'shared', 'data');
const bin = join(root, 'local', 'cli', 'tributary.mjs');

/** What `--json` promises, no field more or less than the README's. */
const resultSchema = z.object({
  task: z.string(),
  mode: z.enum(['async', 'sync']),
  versions: z.number(),
  updates: z.object({
    issued: z.number(),
    admitted: z.number(),
    aggregated: z.number(),
    quarantined: z.number(),
    expired: z.number(),
  }),
  /** Reason -> updates. */
  quarantine: z.record(z.string(), z.number()),
  metrics: z.object({ accuracy: z.number(), loss: z.number(), meanStaleness: z.number() }),
  accuracyByVersion: z.array(z.object({ version: z.number(), accuracy: z.number(), loss: z.number() })),
  perClient: z.array(
    z.object({ client: z.string(), examples: z.number(), accuracy: z.number().nullable(), updates: z.number() }),
  ),
  seconds: z.number(),
  secondsToFirstVersion: z.number(),
  bytes: z.object({ down: z.number(), up: z.number() }),
  estimatedUsd: z.number(),
  modelPath: z.string(),
  safetensorsPath: z.string(),
  dataFingerprint: z.string(),
});

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function run(folder: string, ...args: string[]): { child: ChildProcess; ended: Promise<Ended> } {
  const child = spawn(process.execPath, [bin, ...args], { cwd: folder, env: { ...process.env, NO_COLOR: '1' } });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => {
    stdout += chunk;
  });
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  const ended = new Promise<Ended>((resolve) => child.on('close', (code) => resolve({ code, stdout, stderr })));
  return { child, ended };
}

/** Runs `tributary start --json` in a folder of its own, and checks that stdout is one object of the promised shape. */
async function start(...args: string[]) {
  const folder = mkdtempSync(join(tmpdir(), 'tributary-start-'));
  const { code, stdout, stderr } = await run(folder, 'start', '--json', ...args).ended;
  expect(`${code} ${stderr}`).toMatch(/^0 /);
  expect(stdout.trim().split('\n')).toHaveLength(1);
  const result = resultSchema.parse(JSON.parse(stdout));
  const { issued, admitted, aggregated } = result.updates;
  expect(issued).toBeGreaterThanOrEqual(admitted);
  // Every admitted update is in a version, or came too late for the last one.
  expect(Object.keys(result.quarantine).filter((reason) => reason !== 'task-ended')).toEqual([]);
  expect(aggregated + result.updates.quarantined).toBe(admitted);
  return { result, folder };
}

const sha256 = (path: string) => createHash('sha256').update(readFileSync(path)).digest('hex');

describe('npm start', () => {
  test('trains on Synthetic(1,1), asynchronously, and leaves a model that scores what it says', async () => {
    const { result } = await start('--rounds', '6', '--seed', '3');
    expect(result).toMatchObject({ mode: 'async', versions: 6, updates: { aggregated: 60 } });
    expect(result.accuracyByVersion.map(({ version }) => version)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(result.perClient).toHaveLength(30);
    expect(result.bytes.up).toBeGreaterThan(60 * 610 * 4);
    expect(result.estimatedUsd).toBeGreaterThan(0);
    // The model on disk, run by plain onnxruntime on the same held-out set, drawn again from the seed.
    const { heldOut, fingerprint } = await loadFederation({ dataset: 'synthetic', seed: 3 });
    expect(fingerprint).toBe(result.dataFingerprint);
    const session = await ort.InferenceSession.create(result.modelPath);
    const x = new ort.Tensor('float32', heldOut.x, [heldOut.n, ...heldOut.shape]);
    const [scores] = Object.values(await session.run({ [session.inputNames[0]]: x }));
    const logits = scores.data as Float32Array;
    const hits = Array.from(heldOut.y).filter((label, i) => {
      const row = logits.subarray(i * 10, i * 10 + 10);
      return row.indexOf(Math.max(...row)) === label;
    });
    expect(hits.length / heldOut.n).toBeCloseTo(result.metrics.accuracy, 9);
    const { values, layout } = parseSafetensors(new Uint8Array(readFileSync(result.safetensorsPath)));
    expect(values).toHaveLength(610);
    expect(layout.tensors.map(({ size }) => size).sort()).toEqual([10, 600]);
  });

  test('trains synchronously: no update is stale', async () => {
    const { result } = await start('--rounds', '3', '--mode', 'sync', '--stragglers', '0', '--dropout-rate', '0');
    expect(result).toMatchObject({
      mode: 'sync',
      versions: 3,
      metrics: { meanStaleness: 0 },
    });
  });

  test('--deterministic gives the same bytes twice', async () => {
    const options = ['--deterministic', '--rounds', '5', '--buffer', '5', '--momentum', '0.5', '--seed', '9'];
    // At the same time, so that nothing of the machine's pace is alike.
    const [first, second] = await Promise.all([start(...options), start(...options)]);
    expect(first.result.versions).toBe(5);
    expect(sha256(first.result.safetensorsPath)).toBe(sha256(second.result.safetensorsPath));
    expect(first.result.metrics).toEqual(second.result.metrics);
    const other = await start(...options.with(-1, '10'));
    expect(sha256(other.result.safetensorsPath)).not.toBe(sha256(first.result.safetensorsPath));
  });

  const pima = join(data, 'health', 'pima-indians-diabetes.csv');
  const hasPima = existsSync(pima);
  test.skipIf(!hasPima)(
    `trains over four hospital files${hasPima ? '' : ' (skipped: no ../shared/data/health)'}`,
    async () => {
      const hospitals = join(mkdtempSync(join(tmpdir(), 'tributary-csv-')), 'hospitals');
      mkdirSync(hospitals);
      const rows = readFileSync(pima, 'utf8').trim().split(/\r?\n/);
      const header = 'pregnancies,glucose,pressure,skin,insulin,bmi,pedigree,age,diabetes';
      for (let silo = 0; silo < 4; silo++) {
        const own = rows.filter((_, i) => i % 4 === silo).map((row, i) => (i === 3 ? row.replace(/^[^,]*/, '?') : row));
        writeFileSync(join(hospitals, `hospital-${silo}.csv`), [header, ...own].join('\n'));
      }
      const { result } = await start('--dataset', 'csv', '--data-dir', hospitals, '--label', 'diabetes');
      expect(result.perClient.map(({ client }) => client)).toEqual([
        'hospital-0',
        'hospital-1',
        'hospital-2',
        'hospital-3',
      ]);
      // Logistic regression on all rows together reaches 0.77 (scikit-learn); the commonest class is 0.65.
      expect(result.metrics.accuracy).toBeGreaterThan(0.7);
    },
  );

  const mnist = join(data, 'mnist');
  const hasMnist = existsSync(mnist);
  test.skipIf(!hasMnist)(`trains on MNIST${hasMnist ? '' : ' (skipped: no ../shared/data/mnist)'}`, async () => {
    const { result } = await start('--dataset', 'mnist', '--data-dir', mnist, '--rounds', '8');
    expect(result.perClient).toHaveLength(100);
    expect(result.metrics.accuracy).toBeGreaterThan(0.7);
  });

  const [exportedMlp] = exported.models;

  test('trains a model that PyTorch exported, on tables of its width', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tributary-onnx-'));
    const model = join(folder, 'mlp.onnx');
    writeFileSync(model, Buffer.from(exportedMlp.onnx, 'base64'));
    const silos = join(folder, 'silos');
    mkdirSync(silos);
    const [, width] = exportedMlp.x.shape;
    const random = randomFrom('silos');
    for (let silo = 0; silo < 3; silo++) {
      const rows = Array.from({ length: 120 }, () => {
        const x = Array.from({ length: width }, () => random.normal());
        return [...x, x[0] > 0.5 ? 'high' : x[0] < -0.5 ? 'low' : 'middle'].join(',');
      });
      writeFileSync(
        join(silos, `silo-${silo}.csv`),
        [[...Array.from({ length: width }, (_, i) => `sensor${i}`), 'level'].join(','), ...rows].join('\n'),
      );
    }
    const { result } = await start(
      '--model',
      model,
      '--dataset',
      'csv',
      '--data-dir',
      silos,
      '--label',
      'level',
      '--rounds',
      '6',
      '--lr',
      '0.2',
    );
    expect(result).toMatchObject({ versions: 6 });
    expect(result.metrics.accuracy).toBeGreaterThan(0.5); // a third of the rows are in each class
  });

  test.each([
    ['no ONNX file', Buffer.from('hello')],
    ['a truncated one', Buffer.from(exportedMlp.onnx, 'base64').subarray(0, 300)],
  ])('refuses %s with one clear line', async (_, bytes) => {
    const folder = mkdtempSync(join(tmpdir(), 'tributary-onnx-'));
    writeFileSync(join(folder, 'model.onnx'), bytes);
    const { code, stdout, stderr } = await run(
      folder,
      'model',
      'build',
      'model.onnx',
      '--loss',
      'mse',
      '--out',
      'package',
    ).ended;
    expect(code).toBe(1);
    expect(stdout).toBe('');
    expect(
      stderr
        .trim()
        .split('\n')
        .filter((line) => line.startsWith('error:')),
    ).toHaveLength(1);
    expect(stderr).toMatch(/\[onnx-/);
    expect(existsSync(join(folder, 'package'))).toBe(false);
  });

  test('goes on after kill -9 of a kept local cloud', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tributary-keep-'));
    const options = ['start', '--keep', '--rounds', '12', '--task', 'kept'];
    const first = run(folder, ...options);
    const shown = async () => {
      const { code, stdout } = await run(folder, 'task', 'show', 'kept', '--json').ended;
      return code === 0 ? JSON.parse(stdout) : undefined;
    };
    await expect
      .poll(async () => (await shown())?.version ?? -1, { timeout: 60_000, interval: 500 })
      .toBeGreaterThan(1);
    const { pid } = JSON.parse(readFileSync(join(folder, '.tributary', 'cloud.json'), 'utf8'));
    process.kill(pid, 'SIGKILL');
    first.child.kill('SIGKILL');
    await first.ended;
    const second = run(folder, ...options);
    await expect.poll(async () => (await shown())?.state, { timeout: 90_000, interval: 500 }).toBe('completed');
    // The tickets of a completed task run out a moment later.
    await expect.poll(async () => (await shown())?.updates.open, { timeout: 30_000 }).toBe(0);
    const state = await shown();
    expect(state).toMatchObject({ version: 12, updates: { aggregated: 120, buffered: 0, open: 0 } });
    expect(state.updates.admitted).toBe(120 + state.updates.quarantined);
    expect(state.quarantine.every(({ reason }: { reason: string }) => reason === 'task-ended')).toBe(true);
    second.child.kill('SIGINT');
    expect((await second.ended).code).not.toBe(null);
  });
});

describe('the command line', () => {
  test.each([
    [['start', '--dataset', 'nope'], /Allowed choices are synthetic, sensors, series, mnist, csv/],
    [['start', '--rounds', 'many'], /--rounds <n>/],
    [['start', '--dataset', 'csv'], /needs --data-dir/],
    [['start', '--mode', 'sync', '--buffer', '20', '--concurrency', '5'], /needs --concurrency of at least 20/],
    [['task', 'show', 'demo'], /no endpoint/],
    [['frobnicate'], /unknown command/],
  ])('%s is refused with one clear line and exit code 2', async (args, message) => {
    const { code, stdout, stderr } = await run(mkdtempSync(join(tmpdir(), 'tributary-wrong-')), ...args).ended;
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/\n\s+at /);
  });

  test('--help explains every option of start', async () => {
    const { code, stdout } = await run(root, 'start', '--help').ended;
    expect(code).toBe(0);
    const options = [
      'clients',
      'rounds',
      'buffer',
      'concurrency',
      'alpha',
      'staleness',
      'max-staleness',
      'mode',
      'seed',
      'target-accuracy',
      'json',
      'keep',
      'deterministic',
      'data-dir',
      'label',
      'dataset',
    ];
    for (const option of options) expect(stdout).toMatch(new RegExp(`--${option}\\b.*\\S`));
  });
});
