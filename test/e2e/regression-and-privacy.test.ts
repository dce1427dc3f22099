import { execFile } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import * as ort from 'onnxruntime-node';
import { expect, test } from 'vitest';
import { onnxParticipant } from '../../client/typescript/onnx.ts';
import { createTask } from '../../local/cli/create-task.ts';
import { buildModel } from '../../local/cli/model-spec.ts';
import { loadFederation } from '../../local/data/load-federation.ts';
import { freshAssembly, startFederation } from './small-federation.ts';

const bin = join(import.meta.dirname, '..', '..', 'local', 'cli', 'tributary.mjs');

async function start(...args: string[]) {
  const cwd = mkdtempSync(join(tmpdir(), 'tributary-regression-'));
  const command = [bin, 'start', '--json', ...args];
  const { stdout } = await promisify(execFile)(process.execPath, command, { cwd, maxBuffer: 64 * 1024 * 1024 });
  return JSON.parse(stdout);
}

test('a linear forecast trains on series, and is judged by R² and RMSE', async () => {
  const { task, versions, metrics, perClient } = await start(
    '--model',
    'linear-forecast',
    '--rounds',
    '8',
    '--mode',
    'sync',
  );
  expect(task).toBe('series-1');
  expect(versions).toBe(8);
  expect(metrics).toMatchObject({ measure: 'R²', majorityAccuracy: 0 });
  expect(metrics.accuracy).toBeGreaterThan(0.7);
  expect(metrics.rmse).toBeCloseTo(Math.sqrt(metrics.loss), 12);
  expect(perClient).toHaveLength(20);
});

test('clients train a package with DP-SGD through the local cloud, and say with which clip and noise', async () => {
  const federation = await startFederation(await freshAssembly());
  try {
    const privacy = { clipNorm: 1, noiseMultiplier: 0.5 };
    const { clients } = await loadFederation({ dataset: 'synthetic', clients: 4, iid: true });
    const model = await buildModel({ kind: 'mlp', features: 60, hidden: [16], classes: 10 }, 1, { privacy });
    const round = { mode: 'sync', buffer: 4, maxStaleness: 0 } as const;
    const training = { localEpochs: 1, batchSize: 20, learningRate: 0.1 };
    await createTask(
      federation.api,
      { task: 'private', round, training, selection: { concurrency: 4 }, stop: { rounds: 1 } },
      model,
      {},
    );
    const told: object[] = [];
    await Promise.all(
      clients.map(async ({ id, train, test: own }) =>
        (await federation.client(id)).participate('private', {
          ...onnxParticipant({ ort, samples: train, test: own }),
          maxUpdates: 1,
          onEvent: (event) => {
            if (event.kind === 'trained') told.push(event.metrics);
          },
        }),
      ),
    );
    await federation.cloud.idle();
    expect(told).toHaveLength(4);
    for (const metrics of told)
      expect(metrics).toEqual({ ...privacy, loss: expect.any(Number), accuracy: expect.any(Number) });
    const [, version] = await federation.api.versions('private');
    expect(version).toMatchObject({ version: 1, updates: 4 });
    expect(version.clientMetrics).toMatchObject(privacy);
  } finally {
    await federation.close();
  }
});
