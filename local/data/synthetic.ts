import { concatenate, slice } from '../../client/typescript/data/pick.ts';
import { type Random, randomFrom } from '../../shared/core/random.ts';
import type { Samples } from '../../shared/core/samples.ts';
import { checkNumber } from './check-number.ts';
import type { ClientData, Federation, LoadContext } from './federation.ts';
import { fingerprintOf } from './fingerprint.ts';

export interface SyntheticOptions {
  readonly dataset: 'synthetic';
  /** Devices, default 30. */
  readonly clients?: number;
  /** Spread of the local models: deviation of u_k. Default 1. */
  readonly alpha?: number;
  /** Spread of the local inputs: deviation of B_k. Default 1. */
  readonly beta?: number;
  /** One model and one input distribution for all devices (Synthetic-IID of the paper). Default false. */
  readonly iid?: boolean;
  /** Examples of the largest device, train and test together. Default 2,000. */
  readonly maximumExamples?: number;
  readonly seed?: number | string;
}

const features = 60;
const classes = 10;

/**
 * Synthetic(alpha, beta) of FedProx: Li et al., MLSys 2020, arXiv:1812.06127, section 5.1 and appendix C.1. Each device
 * draws its own softmax model and input mean; x has shape `[60]`, y = argmax(W x + b) in 10 classes, and sizes
 * are floor(lognormal(4, 2)) + 50. As in the authors' generator, alpha and beta are standard deviations.
 */
export async function loadSynthetic(
  options: SyntheticOptions,
  { onProgress, signal }: LoadContext = {},
): Promise<Federation> {
  const clientCount = checkNumber('clients', options.clients ?? 30, 1, 100_000, true);
  const alpha = checkNumber('alpha', options.alpha ?? 1, 0, 1000);
  const beta = checkNumber('beta', options.beta ?? 1, 0, 1000);
  const maximum = checkNumber('maximumExamples', options.maximumExamples ?? 2000, 50, 1_000_000, true);
  const iid = options.iid ?? false;
  const random = randomFrom(`synthetic/${options.seed ?? 0}`);

  const sizes = drawSizes(clientCount, random.fork('sizes'));
  const shared = iid ? drawModel(0, random.fork('shared-model')) : undefined;
  const clients: ClientData[] = [];
  let capped = 0;
  for (let k = 0; k < clientCount; k++) {
    signal?.throwIfAborted();
    if (sizes[k] > maximum) capped++;
    const size = Math.min(sizes[k], maximum);
    const device = random.fork(`device/${k}`);
    const model = shared ?? drawModel(device.normal(0, alpha), device);
    const samples = drawExamples(size, model, iid ? zeros : drawMean(device.normal(0, beta), device), device);
    const trainSize = Math.floor(0.9 * size);
    clients.push({
      id: `device-${String(k).padStart(String(clientCount - 1).length, '0')}`,
      train: slice(samples, 0, trainSize),
      test: slice(samples, trainSize, size),
    });
    onProgress?.({ step: 'split', message: 'drawing devices', done: k + 1, total: clientCount });
  }

  const shape = [features];
  const labels = Array.from({ length: classes }, (_, c) => String(c));
  const heldOut = concatenate(
    clients.map(({ test }) => test),
    shape,
  );
  const notes = [`held-out set: the devices' own test tenths together, ${heldOut.n} examples`];
  if (capped > 0) {
    const largest = Math.max(...sizes).toLocaleString('en');
    notes.push(
      `capped ${capped} of ${clientCount} devices at ${maximum.toLocaleString('en')} examples (largest drawn: ${largest})`,
    );
  }
  return {
    name: iid ? 'synthetic-iid' : `synthetic-${alpha}-${beta}`,
    shape,
    classes,
    labels,
    clients,
    heldOut,
    suggestion: {
      model: { kind: 'logistic-regression' },
      learningRate: 0.01,
      batchSize: 10,
      localEpochs: 3,
      rounds: 60,
      buffer: Math.min(10, clientCount),
      concurrency: Math.min(10, clientCount),
    },
    fingerprint: fingerprintOf({ shape, labels, clients, heldOut }),
    notes,
  };
}

/** W `[classes, features]` and b `[classes]` of one device. */
interface Model {
  readonly weights: Float64Array;
  readonly bias: Float64Array;
}

const zeros = new Float64Array(features);

function drawSizes(count: number, random: Random): number[] {
  return Array.from({ length: count }, () => Math.floor(Math.min(Math.exp(random.normal(4, 2)), 1e9)) + 50);
}

function drawModel(mean: number, random: Random): Model {
  const weights = Float64Array.from({ length: classes * features }, () => random.normal(mean, 1));
  const bias = Float64Array.from({ length: classes }, () => random.normal(mean, 1));
  return { weights, bias };
}

function drawMean(center: number, random: Random): Float64Array {
  return Float64Array.from({ length: features }, () => random.normal(center, 1));
}

function drawExamples(n: number, model: Model, mean: Float64Array, random: Random): Samples {
  const deviation = Float64Array.from({ length: features }, (_, j) => (j + 1) ** -0.6);
  const x = new Float32Array(n * features);
  const y = new Int32Array(n);
  for (let i = 0; i < n; i++) {
    const row = x.subarray(i * features, (i + 1) * features);
    for (let j = 0; j < features; j++) row[j] = random.normal(mean[j], deviation[j]);
    y[i] = mostLikely(model, row);
  }
  return { x, y, n, shape: [features] };
}

function mostLikely({ weights, bias }: Model, row: Float32Array): number {
  let best = 0;
  let bestLogit = Number.NEGATIVE_INFINITY;
  for (let c = 0; c < classes; c++) {
    let logit = bias[c];
    for (let j = 0; j < features; j++) logit += weights[c * features + j] * row[j];
    if (logit > bestLogit) {
      bestLogit = logit;
      best = c;
    }
  }
  return best;
}
