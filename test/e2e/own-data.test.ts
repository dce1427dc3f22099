import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as ort from 'onnxruntime-node';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseEncoding } from '../../client/typescript/data/table/encoding.ts';
import { encodingOf } from '../../client/typescript/data/table-participant.ts';
import { saveKeyFile } from '../../client/typescript/key-file-store.ts';
import { createTask } from '../../local/cli/create-task.ts';
import { readEncodingFile } from '../../local/cli/data-files.ts';
import { buildModel } from '../../local/cli/model-spec.ts';
import { ownFile } from '../../local/cli/own-file.ts';
import { randomFrom } from '../../shared/core/random.ts';
import { runHere } from '../local/cli/recording-console.ts';
import { codeBlocks } from './code-blocks.ts';
import { shellIn } from './shell.ts';
import { freshAssembly, type RunningFederation, startFederation } from './small-federation.ts';

let folder: string;
let federation: RunningFederation;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tributary-own-data-'));
  federation = await startFederation(await freshAssembly());
});
afterAll(async () => {
  await federation?.close();
  rmSync(folder, { recursive: true, force: true });
});

const at = (name: string) => join(folder, name);

/** A ward whose patients are ill if dose and age together are high; each ward has a level of its own, and gaps. */
function writeWard(name: string, rows: number, level: number): void {
  const random = randomFrom(name);
  const lines = Array.from({ length: rows }, () => {
    const [age, dose] = [random.normal(), random.normal()];
    const ill = age + dose + 0.3 * random.normal() > 0;
    const cells = [50 + 10 * age, level + 5 * dose, random.next() < 0.3 ? 'smokes' : 'does not', ill ? 'ill' : 'well'];
    return cells.map((cell, i) => (i < 2 && random.next() < 0.1 ? '' : cell)).join(',');
  });
  writeFileSync(at(`${name}.csv`), `age,dose,tobacco,state\n${lines.join('\n')}\n`);
}

test('silos that share summaries only train one model, each from its own file', async () => {
  const wards = ['north', 'south', 'east'];
  wards.forEach((name, k) => {
    writeWard(name, 120 + 40 * k, 2 * k);
  });
  writeFileSync(
    at('pipeline.yaml'),
    'label: state\nsteps:\n  - kind: standardize\n  - kind: impute\n    how: iterative\n    exchanges: 2\n',
  );
  const run = async (line: string) => {
    const { code, out, err } = await runHere(line.split(' '));
    expect([code, err.replaceAll(/^left out .*$|^label: .*$/gm, '').trim()]).toEqual([0, '']);
    return out;
  };
  // One exchange for the columns, two for the imputation.
  for (const name of wards) {
    await run(`data summary ${at(name)}.csv --pipeline ${at('pipeline.yaml')} --out ${at(`${name}-0`)}`);
  }
  let agreed = await run(`data agree ${wards.map((name) => at(`${name}-0`)).join(' ')} --out ${at('encoding-0')}`);
  for (const exchange of [1, 2]) {
    expect(agreed).toMatch(/not complete/);
    const before = at(`encoding-${exchange - 1}`);
    for (const name of wards) {
      await run(`data summary ${at(name)}.csv --encoding ${before} --out ${at(`${name}-${exchange}`)}`);
    }
    const summaries = wards.map((name) => at(`${name}-${exchange}`)).join(' ');
    agreed = await run(`data agree ${summaries} --encoding ${before} --out ${at(`encoding-${exchange}`)}`);
  }
  expect(agreed).toMatch(/complete: task create/);

  const features = 2 + 2 + 2; // two numbers, whether each was missing, two words
  const model = await buildModel({ kind: 'logistic-regression', features, classes: 2 }, 1);
  const config = {
    task: 'wards',
    round: { mode: 'async' as const, buffer: 3 },
    training: { localEpochs: 5, batchSize: 16, learningRate: 0.1 },
  };
  const task = await createTask(federation.api, config, model, { encoding: await readEncodingFile(at('encoding-2')) });

  const accuracies = await Promise.all(
    wards.map(async (name) => {
      const own = await ownFile(
        ort,
        { dataset: 'csv', dataFile: at(`${name}.csv`), index: 0, seed: 1 },
        new AbortController().signal,
        (train, measured) => expect(train / (train + measured)).toBe(0.8),
      );
      let accuracy = 0;
      const summary = await (await federation.client(name)).participate(task, {
        train: own.train,
        evaluate: async (input) => {
          const agreed = parseEncoding(JSON.parse(readFileSync(at('encoding-2'), 'utf8')));
          expect(encodingOf(input.package)).toEqual(agreed);
          const metrics = await own.evaluate(input);
          accuracy = metrics.accuracy;
          return metrics;
        },
        // The last is measured on the version that the first three rounds made.
        maxUpdates: 4,
        awaitOutcome: true,
      });
      expect(summary.updates).toBe(4);
      return accuracy;
    }),
  );
  // Without the noise and the gaps it would be 1; a coin is right half of the time.
  expect(accuracies.reduce((sum, accuracy) => sum + accuracy, 0) / 3).toBeGreaterThan(0.8);
});

test('silos that never meet do as docs/data.md says', async () => {
  const cwd = at('docs');
  mkdirSync(cwd);
  for (const name of ['north', 'south']) {
    writeWard(name, 120, 0);
    const table = readFileSync(at(`${name}.csv`), 'utf8').replace('state', 'outcome');
    writeFileSync(join(cwd, `${name}.csv`), table);
  }
  writeFileSync(
    join(cwd, 'hospitals.yaml'),
    'task: hospitals\nmodel: { kind: logistic-regression, features: 6, classes: 2 }\nround: { buffer: 1 }\nstop: { rounds: 2 }\n',
  );
  await saveKeyFile(join(cwd, 'north-key.json'), federation.endpoint, await federation.key('north'));
  const run = shellIn(cwd, federation);
  // The page shows one silo: the other has done the same.
  await run('npx tributary data summary south.csv --label outcome --out south.json');
  const said = await run(codeBlocks(join(import.meta.dirname, '..', '..', 'docs', 'data.md'), 'sh').join('\n'));
  expect(said).toMatch(/\d+ updates of \d+ examples stored: task ended/);
  await federation.cloud.idle();
  expect(await federation.api.task('hospitals')).toMatchObject({ state: 'completed', version: 2 });
});

test('a client with a file of its own refuses a task that has no encoding', async () => {
  writeWard('west', 40, 0);
  const model = await buildModel({ kind: 'logistic-regression', features: 6, classes: 2 }, 1);
  const config = { task: 'no-encoding', round: { mode: 'async' as const, buffer: 1 } };
  const task = await createTask(federation.api, config, model, {});
  const own = await ownFile(
    ort,
    { dataset: 'csv', dataFile: at('west.csv'), index: 0, seed: 1 },
    new AbortController().signal,
    () => {},
  );
  const client = await federation.client('west');
  await expect(client.participate(task, { ...own, maxUpdates: 1 })).rejects.toThrow(/\[encoding-missing\]/);
});
