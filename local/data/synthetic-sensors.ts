import { concatenate, slice } from '../../client/typescript/data/pick.ts';
import { type Random, randomFrom } from '../../shared/core/random.ts';
import type { Samples } from '../../shared/core/samples.ts';
import { checkNumber } from './check-number.ts';
import type { ClientData, Federation, LoadContext } from './federation.ts';
import { fingerprintOf } from './fingerprint.ts';

export interface SensorsOptions {
  readonly dataset: 'sensors';
  /** Silos, default 20. */
  readonly clients?: number;
  /** How unlike the silos are. 0: every silo sees the same. Default 1. */
  readonly alpha?: number;
  readonly seed?: number | string;
}

const features = 10;
const testShare = 0.2;
/** Mean and deviation of the function below over the unit cube, noise included; rounded. */
const mean = 14.4;
const deviation = 5;
/** Deviation of a silo's calibration at alpha = 1, in deviations of the value. */
const calibration = 0.1;

/**
 * A nonlinear regression over silos: Friedman's first function (Friedman 1991, "Multivariate adaptive regression splines", section 4.3)
 * 10 sin(pi x1 x2) + 20 (x3 - 1/2)^2 + 10 x4 + 5 x5 + N(0, 1) of ten readings, five of which say nothing. A silo works in a part of each
 * reading's range, of width 1 / (1 + alpha), and its calibration is off by N(0, alpha / 10). Readings and values are given with about zero mean
 * and unit variance over the whole cube.
 */
export async function loadSensors(
  options: SensorsOptions,
  { onProgress, signal }: LoadContext = {},
): Promise<Federation> {
  const clientCount = checkNumber('clients', options.clients ?? 20, 1, 100_000, true);
  const alpha = checkNumber('alpha', options.alpha ?? 1, 0, 1000);
  const random = randomFrom(`sensors/${options.seed ?? 0}`);
  const clients: ClientData[] = [];
  for (let k = 0; k < clientCount; k++) {
    signal?.throwIfAborted();
    const silo = random.fork(`silo/${k}`);
    const n = 100 + Math.floor(Math.exp(silo.normal(5.5, 0.6)));
    const samples = drawReadings(n, alpha, silo);
    const trainSize = Math.floor((1 - testShare) * n);
    clients.push({
      id: `plant-${String(k).padStart(String(clientCount - 1).length, '0')}`,
      train: slice(samples, 0, trainSize),
      test: slice(samples, trainSize, n),
    });
    onProgress?.({ step: 'split', message: 'drawing silos', done: k + 1, total: clientCount });
  }
  const shape = [features];
  const heldOut = concatenate(
    clients.map(({ test }) => test),
    shape,
  );
  return {
    name: `sensors-${alpha}`,
    shape,
    classes: 0,
    outputs: 1,
    labels: [],
    clients,
    heldOut,
    suggestion: {
      model: { kind: 'mlp', hidden: [32, 16] },
      learningRate: 0.03,
      batchSize: 16,
      // More local work, or more silos at once, and stale updates overshoot.
      localEpochs: 2,
      rounds: 40,
      buffer: Math.min(8, clientCount),
      concurrency: Math.min(8, clientCount),
    },
    fingerprint: fingerprintOf({ shape, labels: [], clients, heldOut }),
    notes: [`held-out set: the silos' own test fifths together, ${heldOut.n} examples`],
  };
}

/** Friedman's first function of x, shape [10] in [0, 1], without the noise. */
export function friedman1(x: ArrayLike<number>): number {
  return 10 * Math.sin(Math.PI * x[0] * x[1]) + 20 * (x[2] - 0.5) ** 2 + 10 * x[3] + 5 * x[4];
}

function drawReadings(n: number, alpha: number, random: Random): Samples {
  const width = 1 / (1 + alpha);
  const starts = Array.from({ length: features }, () => (1 - width) * random.next());
  const offset = random.normal(0, calibration * alpha);
  const x = new Float32Array(n * features);
  const y = new Float32Array(n);
  for (let i = 0; i < n; i++) {
    const reading = starts.map((start) => start + width * random.next());
    y[i] = (friedman1(reading) + random.normal() - mean) / deviation + offset;
    // A uniform's variance is 1/12.
    for (let j = 0; j < features; j++) x[i * features + j] = Math.sqrt(12) * (reading[j] - 0.5);
  }
  return { x, y, n, shape: [features] };
}
