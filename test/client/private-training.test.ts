import * as ort from 'onnxruntime-node';
import { describe, expect, test } from 'vitest';
import { TributaryClient } from '../../client/typescript/client.ts';
import { secretNoise } from '../../client/typescript/noise.ts';
import { onnxParticipant } from '../../client/typescript/onnx.ts';
import { randomFrom } from '../../shared/core/random.ts';
import type { Samples } from '../../shared/core/samples.ts';
import { logisticRegression } from '../../shared/onnx/models/logistic-regression.ts';
import { mlp } from '../../shared/onnx/models/mlp.ts';
import type { NoiseSource } from '../../shared/onnx/trainer/noise-source.ts';
import { OnnxTrainer } from '../../shared/onnx/trainer/onnx-trainer.ts';
import { privacyOf } from '../../shared/onnx/trainer/privacy-of.ts';
import { buildTrainingPackage } from '../../shared/onnx/training/training-package.ts';
import type { TrainingSpec } from '../../shared/onnx/training/training-spec.ts';
import { parseSafetensors } from '../../shared/wire/safetensors.ts';
import { ann } from './ann.ts';
import { packageServer } from './package-server.ts';

const silence: NoiseSource = { normal: () => 0 };

/** `n` examples of three classes, a blob each. */
function blobs(n: number, features: number, seed: string): Samples {
  const random = randomFrom(seed);
  const y = Int32Array.from({ length: n }, (_, i) => i % 3);
  const x = Float32Array.from({ length: n * features }, (_, i) =>
    random.normal(y[Math.floor(i / features)] === (i % features) % 3 ? 2 : 0),
  );
  return { x, y, n, shape: [features] };
}

function deviation(values: readonly number[]): number {
  return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);
}

describe('the noise of DP-SGD', () => {
  const features = 2000;
  const forward = logisticRegression({ features, classes: 3 });
  const built = (privacy: TrainingSpec['privacy']) =>
    buildTrainingPackage({ forward, loss: 'softmax-cross-entropy', privacy });
  const samples = blobs(32, features, 'wide');

  test.each([
    { clipNorm: 1, noiseMultiplier: 1, batchSize: 32 },
    { clipNorm: 0.25, noiseMultiplier: 4.5, batchSize: 32 },
    { clipNorm: 8, noiseMultiplier: 0.3, batchSize: 8 },
  ])('has deviation sigma C on the sum of gradients: %o', async ({ batchSize, ...privacy }) => {
    const pkg = built(privacy);
    const trainer = await OnnxTrainer.create(ort, pkg);
    const params = new Float32Array(pkg.layout.size);
    const own = {
      ...samples,
      n: batchSize,
      x: samples.x.subarray(0, batchSize * features),
      y: samples.y.subarray(0, batchSize),
    };
    const options = { params, samples: own, epochs: 1, batchSize, learningRate: 1 };
    const step = async (noise: NoiseSource) =>
      (await trainer.train({ ...options, random: randomFrom(1), noise })).params;
    const [noisy, plain] = [await step(secretNoise()), await step(silence)];
    await trainer.release();
    // One step of rate 1: -(sum + sigma C z) / batch.
    const added = Array.from(noisy, (value, i) => (plain[i] - value) * batchSize);
    const expected = privacy.noiseMultiplier * privacy.clipNorm;
    // An estimate from m numbers deviates by 1 / sqrt(2 m) of itself; six of that.
    expect(Math.abs(deviation(added) / expected - 1)).toBeLessThan(6 / Math.sqrt(2 * added.length));
    expect(Math.hypot(...plain) * batchSize).toBeGreaterThan(0.1 * privacy.clipNorm);
  });

  test('is new in each step: over s steps its deviation grows by sqrt(s), not by s', async () => {
    const pkg = built({ clipNorm: 0.5, noiseMultiplier: 2 });
    const trainer = await OnnxTrainer.create(ort, pkg);
    // Features of zero: the weights' gradients are noise alone.
    const nothing = { ...samples, x: new Float32Array(samples.x.length) };
    const params = new Float32Array(pkg.layout.size);
    const options = { params, samples: nothing, epochs: 4, batchSize: 8, learningRate: 0.1, random: randomFrom(1) };
    const { params: trained, steps } = await trainer.train({ ...options, noise: secretNoise() });
    await trainer.release();
    expect(steps).toBe(16);
    const weight = pkg.layout.tensors.find(({ name }) => name.endsWith('weight'));
    const { offset, size } = weight ?? { offset: 0, size: 0 };
    const walked = Array.from(trained.subarray(offset, offset + size));
    const expected = (Math.sqrt(16) * 0.1 * 2 * 0.5) / 8;
    expect(Math.abs(deviation(walked) / expected - 1)).toBeLessThan(6 / Math.sqrt(2 * size));
  });
});

describe('a package that trains with DP-SGD', () => {
  const forward = mlp({ features: 4, hidden: [8], classes: 3 });
  const privacy = { clipNorm: 1.5, noiseMultiplier: 1.1 };
  const pkg = buildTrainingPackage({ forward, loss: 'softmax-cross-entropy', privacy, proximal: true, control: true });
  const params = Float32Array.from({ length: pkg.layout.size }, (_, i) => Math.sin(5 * i) / 2);
  const samples = blobs(60, 4, 'train');
  const plan = { localEpochs: 2, batchSize: 20, learningRate: 0.2 };

  async function participate(options: Partial<Parameters<typeof onnxParticipant>[0]> = {}, built = pkg) {
    const server = packageServer(built, params, plan);
    const client = new TributaryClient({
      endpoint: 'http://api.test',
      identity: ann,
      transport: server.transport,
    });
    const summary = await client.participate('task', {
      ...onnxParticipant({ ort, samples, ...options }),
      maxUpdates: 1,
    });
    const body = (step: string) => server.requests.find((request) => request.step === step)?.body ?? new Uint8Array();
    const { metrics } = JSON.parse(new TextDecoder().decode(body('declare')));
    return { summary, metrics, update: parseSafetensors(body('put')).values };
  }

  test('trains through participate, and its update says clip and noise but not the loss on private examples', async () => {
    const { summary, metrics, update } = await participate({ test: samples });
    expect(summary).toMatchObject({ updates: 1, examples: 60 });
    expect(metrics).toEqual({ ...privacy, loss: expect.any(Number), accuracy: expect.any(Number) });
    expect(update.every(Number.isFinite)).toBe(true);
    expect(Math.hypot(...update)).toBeGreaterThan(0);
  });

  test('gives another update each time, though plan, seed, client and version are the same; without the noise, the same', async () => {
    const [first, second] = [await participate(), await participate()];
    expect(second.update).not.toEqual(first.update);
    const [quiet, again] = [await participate({ noise: silence }), await participate({ noise: silence })];
    expect(again.update).toEqual(quiet.update);
    const distance = (update: Float32Array) => deviation(Array.from(update, (value, i) => value - quiet.update[i]));
    // Six steps of 0.2 * 1.65 / 20 each, which the gradients change a little.
    const expected = (Math.sqrt(6) * 0.2 * 1.5 * 1.1) / 20;
    for (const { update } of [first, second]) {
      expect(distance(update) / expected).toBeGreaterThan(0.5);
      expect(distance(update) / expected).toBeLessThan(2);
    }
  });

  test("takes FedProx's mu where it is given, and 0 otherwise", async () => {
    const free = await participate({ noise: silence });
    const zero = await participate({ noise: silence, proximalMu: 0 });
    const held = await participate({ noise: silence, proximalMu: 2 });
    expect(zero.update).toEqual(free.update);
    expect(Math.hypot(...held.update)).toBeLessThan(0.9 * Math.hypot(...free.update));
  });

  test('learns in spite of the noise, given enough examples', async () => {
    const many = blobs(3000, 4, 'many');
    const trainer = await OnnxTrainer.create(ort, pkg);
    const before = await trainer.evaluate({ params, samples });
    const options = { params, samples: many, epochs: 4, batchSize: 100, learningRate: 0.5, random: randomFrom(1) };
    const { params: trained } = await trainer.train({ ...options, noise: randomFrom('noise') });
    const after = await trainer.evaluate({ params: trained, samples });
    await trainer.release();
    expect(before.accuracy).toBeLessThan(0.6);
    expect(after.accuracy).toBeGreaterThan(0.8);
  });

  test('another package reports its loss as before', async () => {
    const { metrics } = await participate({}, buildTrainingPackage({ forward, loss: 'softmax-cross-entropy' }));
    expect(metrics).toEqual({ trainLoss: expect.any(Number) });
  });
});

describe('clip norm and noise multiplier are read off the graph', () => {
  const forward = mlp({ features: 3, hidden: [4], classes: 2 });
  const graphOf = (spec: Partial<TrainingSpec>) =>
    buildTrainingPackage({ forward, loss: 'softmax-cross-entropy', ...spec }).trainStep;

  test.each<[string, Partial<TrainingSpec>]>([
    ['alone', {}],
    ['beside a clipped norm of the batch', { clip: { kind: 'norm', max: 2 } }],
    ['beside Adam', { optimizer: { kind: 'adam' } }],
    ['beside FedProx and SCAFFOLD', { proximal: true, control: true }],
  ])('%s', (_, spec) => {
    for (const privacy of [
      { clipNorm: 1, noiseMultiplier: 1 },
      { clipNorm: 0.001, noiseMultiplier: 12.5 },
      { clipNorm: 3.3, noiseMultiplier: 0.7 },
    ]) {
      expect(privacyOf(graphOf({ ...spec, privacy }))).toEqual(privacy);
    }
  });

  test('there are none in a graph that takes no noise', () => {
    expect(privacyOf(graphOf({}))).toBeUndefined();
    expect(privacyOf(graphOf({ clip: { kind: 'norm', max: 1 } }))).toBeUndefined();
    expect(privacyOf(graphOf({ privacy: { clipNorm: 1, noiseMultiplier: 0 } }))).toBeUndefined();
  });

  test('a graph that scales one noise less than the others is refused', () => {
    const graph = graphOf({ privacy: { clipNorm: 1, noiseMultiplier: 3 } });
    // In the bytes of the file: one of the products takes the constant 1 (the clip) in place of 3.
    const text = new TextDecoder('latin1').decode(graph);
    const at = text.indexOf('constant/float/3');
    const changed = graph.slice();
    changed[at + 'constant/float/'.length] = '1'.charCodeAt(0);
    expect(() => privacyOf(changed)).toThrow(/training-graph-refused.*DP-SGD/);
  });

  test('a file that is cut off anywhere, or no graph at all, is refused or has no noise, and never hangs', () => {
    const graph = graphOf({ privacy: { clipNorm: 1, noiseMultiplier: 3 } });
    for (let length = 0; length < graph.length; length += 7) {
      try {
        expect(privacyOf(graph.subarray(0, length))).toBeUndefined();
      } catch (error) {
        expect(error).toMatchObject({ code: 'training-graph-refused' });
      }
    }
    const hostile = [
      Uint8Array.of(0x3a, 0xff, 0xff, 0xff, 0xff, 0x0f),
      new Uint8Array(40).fill(0xff),
      Uint8Array.of(7),
    ];
    for (const bytes of hostile) expect(() => privacyOf(bytes)).toThrow(/training-graph-refused/);
  });
});
