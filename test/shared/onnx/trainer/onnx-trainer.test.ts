import * as ort from 'onnxruntime-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { randomFrom } from '../../../../shared/core/random.ts';
import type { Samples } from '../../../../shared/core/samples.ts';
import { initialParams } from '../../../../shared/onnx/models/initial-params.ts';
import { logisticRegression } from '../../../../shared/onnx/models/logistic-regression.ts';
import { mlp } from '../../../../shared/onnx/models/mlp.ts';
import type { OnnxRuntime } from '../../../../shared/onnx/runtime/runtime.ts';
import { OnnxTrainer } from '../../../../shared/onnx/trainer/onnx-trainer.ts';
import { buildTrainingPackage } from '../../../../shared/onnx/training/training-package.ts';
import { maxError } from '../gradient-graph.ts';
import { trainSoftmaxRegression } from './softmax-regression.ts';

/** Three blobs in the plane, 23 examples: no multiple of the batch sizes below. */
function blobs(n = 23): Samples {
  const random = randomFrom('blobs');
  const y = Int32Array.from({ length: n }, (_, i) => i % 3);
  const x = Float32Array.from({ length: 2 * n }, (_, i) =>
    random.normal([2, -2, 0][y[i >> 1]] * (i % 2 === 0 ? 1 : -0.5), 0.5),
  );
  return { x, y, n, shape: [2] };
}

const samples = blobs();
const regression = buildTrainingPackage({
  forward: logisticRegression({ features: 2, classes: 3 }),
  loss: 'softmax-cross-entropy',
});
const zeros = new Float32Array(regression.layout.size);
const options = { params: zeros, samples, epochs: 3, batchSize: 5, learningRate: 0.5 };

describe('OnnxTrainer', () => {
  let trainer: OnnxTrainer;
  beforeAll(async () => {
    trainer = await OnnxTrainer.create(ort, regression);
  });
  afterAll(() => trainer.release());

  it('does what SGD on softmax regression does when written out by hand: a new shuffle each epoch, no example dropped', async () => {
    const expected = trainSoftmaxRegression({ ...options, classes: 3, random: randomFrom(11) });
    const result = await trainer.train({ ...options, random: randomFrom(11) });
    expect(result.steps).toBe(3 * 5); // ceil(23 / 5) steps an epoch
    expect(result.loss).toBeCloseTo(expected.loss, 6);
    expect(maxError(result.params, expected.params)).toBeLessThan(1e-5);
  });

  it('takes all examples in one step if the batch is larger than the set', async () => {
    const expected = trainSoftmaxRegression({ ...options, batchSize: 100, classes: 3, random: randomFrom(11) });
    const result = await trainer.train({ ...options, batchSize: 100, random: randomFrom(11) });
    expect(result.steps).toBe(3);
    expect(result.loss).toBeCloseTo(expected.loss, 6);
  });

  it('gives the same parameters bit for bit for the same seed, and others for another', async () => {
    const [first, again, other] = await Promise.all(
      [1, 1, 2].map((seed) => trainer.train({ ...options, random: randomFrom(seed) })),
    );
    expect(again).toEqual(first);
    expect(other.params).not.toEqual(first.params);
  });

  it('writes neither the start parameters nor the samples', async () => {
    const start = Float32Array.from({ length: 9 }, (_, i) => i / 10);
    const copy = { params: start.slice(), x: samples.x.slice(), y: samples.y.slice() };
    const { params } = await trainer.train({ ...options, params: start, random: randomFrom(1) });
    expect({ params: start, x: samples.x, y: samples.y }).toEqual(copy);
    expect(params.buffer).not.toBe(start.buffer);
  });

  it('learns: the loss falls and the accuracy rises', async () => {
    const before = await trainer.evaluate({ params: zeros, samples });
    const { params } = await trainer.train({ ...options, epochs: 30, random: randomFrom(1) });
    const after = await trainer.evaluate({ params, samples });
    expect(before).toEqual({ loss: expect.closeTo(Math.log(3), 6), accuracy: 8 / 23, examples: 23 }); // all scores equal: class 0
    expect(after.accuracy).toBeGreaterThan(0.9);
    expect(after.loss).toBeLessThan(0.4);
  });

  it('evaluates a set larger than one chunk as it evaluates its parts', async () => {
    const big = blobs(600);
    const params = Float32Array.from({ length: 9 }, (_, i) => Math.sin(i));
    const parts = await Promise.all(
      [0, 200, 400].map((from) =>
        trainer.evaluate({
          params,
          samples: { ...big, n: 200, x: big.x.subarray(2 * from, 2 * from + 400), y: big.y.subarray(from, from + 200) },
        }),
      ),
    );
    const whole = await trainer.evaluate({ params, samples: big });
    expect(whole.loss).toBeCloseTo(parts.reduce((sum, part) => sum + part.loss, 0) / 3, 5);
    expect(whole.accuracy).toBeCloseTo(parts.reduce((sum, part) => sum + part.accuracy, 0) / 3, 10);
  });

  it('tells its progress up to the last step', async () => {
    const seen: { stepsDone: number; stepsTotal: number; loss: number }[] = [];
    const result = await trainer.train({
      ...options,
      random: randomFrom(1),
      onProgress: (progress) => seen.push(progress),
    });
    expect(seen.map(({ stepsDone }) => stepsDone)).toEqual(
      seen.map(({ stepsDone }) => stepsDone).toSorted((a, b) => a - b),
    );
    expect(seen.at(-1)).toEqual({ stepsDone: 15, stepsTotal: 15, loss: result.loss });
  });

  it('does not go on while a promise of onProgress is open, and ends with its error', async () => {
    const result = await trainer.train({ ...options, random: randomFrom(1) });
    const held = Promise.withResolvers<void>();
    let calls = 0;
    const onProgress = () => {
      calls++;
      return held.promise;
    };
    const training = trainer.train({ ...options, random: randomFrom(1), onProgress });
    await expect.poll(() => calls).toBe(1);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(calls).toBe(1);
    held.resolve();
    expect(await training).toEqual(result);
    const failing = { ...options, random: randomFrom(1), onProgress: () => Promise.reject(new Error('gone')) };
    await expect(trainer.train(failing)).rejects.toThrow('gone');
  });

  it('stops when told to, with the reason that it was told', async () => {
    const reason = new Error('battery low');
    await expect(trainer.train({ ...options, random: randomFrom(1), signal: AbortSignal.abort(reason) })).rejects.toBe(
      reason,
    );
    const controller = new AbortController();
    let calls = 0;
    const onProgress = () => {
      calls += 1;
      controller.abort(reason);
    };
    const stopped = trainer.train({
      ...options,
      epochs: 1000,
      random: randomFrom(1),
      signal: controller.signal,
      onProgress,
    });
    await expect(stopped).rejects.toBe(reason);
    expect(calls).toBe(1);
  });

  it.each([
    ['an example count that does not fit', { samples: { ...samples, n: 22 } }, 'samples-invalid'],
    ['no examples', { samples: { x: new Float32Array(0), y: new Int32Array(0), n: 0, shape: [2] } }, 'samples-invalid'],
    ['a negative label', { samples: { ...samples, y: samples.y.map((label) => label - 1) } }, 'samples-invalid'],
    [
      'a label that is no class',
      { samples: { ...samples, y: samples.y.map((label) => label + 1) } },
      'training-failed',
    ],
    ['examples of another shape', { samples: { ...samples, x: new Float32Array(69), shape: [3] } }, 'samples-invalid'],
    ['parameters of another model', { params: new Float32Array(8) }, 'params-mismatch'],
    ['no epochs', { epochs: 0 }, 'training-invalid'],
    ['half a batch', { batchSize: 0.5 }, 'training-invalid'],
    ['a learning rate that is no number', { learningRate: Number.NaN }, 'training-invalid'],
    [
      'features that are not finite',
      { samples: { ...samples, x: samples.x.map((value, i) => (i === 7 ? Number.NaN : value)) } },
      'training-diverged',
    ],
  ])('refuses %s', async (_, change, code) => {
    await expect(trainer.train({ ...options, random: randomFrom(1), ...change })).rejects.toMatchObject({ code });
  });

  it('says so when training diverges', async () => {
    const steep = { ...samples, x: samples.x.map((value) => value * 1e20) };
    const diverging = trainer.train({ ...options, samples: steep, learningRate: 1e20, random: randomFrom(1) });
    await expect(diverging).rejects.toMatchObject({ code: 'training-diverged', retry: 'never' });
  });
});

it('falls back to the step graph where the runtime refuses a loop, with bit-identical results', async () => {
  const forward = mlp({ features: 2, hidden: [4], classes: 3 });
  const pkg = buildTrainingPackage({ forward, loss: 'softmax-cross-entropy' });
  const loopless: OnnxRuntime = {
    Tensor: ort.Tensor,
    InferenceSession: {
      create: async (graph: unknown, sessionOptions?: unknown) => {
        if (graph === pkg.trainEpoch) throw new Error('Loop is not supported');
        if (!(graph instanceof Uint8Array)) throw new TypeError('expected bytes');
        return ort.InferenceSession.create(graph, sessionOptions ?? {});
      },
    },
  };
  const params = initialParams(forward, randomFrom('start'));
  const results = [];
  for (const runtime of [ort, loopless]) {
    const trainer = await OnnxTrainer.create(runtime, pkg);
    results.push(await trainer.train({ ...options, params, random: randomFrom(5) }));
    await trainer.release();
  }
  expect(results[1]).toEqual(results[0]);
});

it('refuses graphs that the runtime does not load', async () => {
  const broken = { ...regression, evaluate: Uint8Array.of(1, 2, 3) };
  await expect(OnnxTrainer.create(ort, broken)).rejects.toMatchObject({ code: 'training-graph-refused' });
});
