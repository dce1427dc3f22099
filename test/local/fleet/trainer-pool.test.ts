import { afterAll, expect, test } from 'vitest';
import { createTrainerPool } from '../../../local/fleet/trainer-pool.ts';
import { randomFrom } from '../../../shared/core/random.ts';
import type { Samples } from '../../../shared/core/samples.ts';
import { logisticRegression } from '../../../shared/onnx/models/logistic-regression.ts';
import { buildTrainingPackage } from '../../../shared/onnx/training/training-package.ts';

/** Two classes on either side of zero. */
function drawSamples(seed: number, n: number): Samples {
  const random = randomFrom(seed);
  const y = Int32Array.from({ length: n }, (_, i) => i % 2);
  const x = Float32Array.from({ length: n }, (_, i) => random.normal(y[i] === 1 ? 2 : -2, 0.5));
  return { x, y, n, shape: [1] };
}

const samples = new Map([
  ['ann', drawSamples(1, 40)],
  ['bob', drawSamples(2, 40)],
  ['none', { x: new Float32Array(), y: new Int32Array(), n: 0, shape: [1] }],
]);
const built = buildTrainingPackage({
  forward: logisticRegression({ features: 1, classes: 2 }),
  loss: 'softmax-cross-entropy',
});
const files = {
  'evaluate.onnx': built.evaluate,
  'train-step.onnx': built.trainStep,
  'train-epoch.onnx': built.trainEpoch,
};
const plan = { localEpochs: 3, batchSize: 8, learningRate: 0.5, seed: 1 };
const params = { layout: built.layout, values: built.initial };
const pool = createTrainerPool(samples, 2);
afterAll(() => pool.close());
const job = { package: files, params, plan };

test('trains in a thread and leaves the given parameters as they were', async () => {
  const trained = await pool.train({ ...job, samples: 'ann', seed: 'a' });
  expect([...params.values]).toEqual([0, 0, 0, 0]);
  const measured = await pool.evaluate({
    samples: 'ann',
    package: files,
    params: { layout: built.layout, values: trained.params },
  });
  // At zero parameters both classes are equally likely: ln 2.
  expect(trained.loss).toBeLessThan(Math.LN2);
  expect(measured).toMatchObject({ accuracy: 1, examples: 40 });
});

test('the same seed gives the same bytes on any thread, another seed or client others', async () => {
  const runs = await Promise.all([1, 2, 3, 4].map(() => pool.train({ ...job, samples: 'ann', seed: 'same' })));
  for (const { params: values } of runs) expect(values).toEqual(runs[0].params);
  const [seeded, bob] = await Promise.all([
    pool.train({ ...job, samples: 'ann', seed: 'other' }),
    pool.train({ ...job, samples: 'bob', seed: 'same' }),
  ]);
  expect(seeded.params).not.toEqual(runs[0].params);
  expect(bob.params).not.toEqual(runs[0].params);
});

test('a job that fails says why, and the thread goes on', async () => {
  await expect(pool.train({ ...job, samples: 'none', seed: 'x' })).rejects.toMatchObject({ code: 'samples-invalid' });
  await expect(pool.train({ ...job, samples: 'ann', seed: 'x' })).resolves.toBeDefined();
});

test('refuses samples that it was not given', async () => {
  await expect(pool.train({ ...job, samples: 'eve', seed: 'x' })).rejects.toThrow(/eve/);
});
