import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { augment, parseAugmentations } from '../../client/typescript/data/augment/augment.ts';
import { parseIdx } from '../../client/typescript/data/images/idx.ts';
import { permutation, type Random, randomFrom } from '../../shared/core/random.ts';
import type { Samples } from '../../shared/core/samples.ts';
import { mlp } from '../../shared/onnx/models/mlp.ts';
import { dataFolder } from './tables.ts';
import { meanText, trainAlone } from './train-alone.ts';

const imageWays: readonly [string, unknown][] = [
  ['as they are', undefined],
  ['shift by 2', [{ kind: 'shift', most: 2 }]],
  ['cutout of 8', [{ kind: 'cutout', size: 8 }]],
  ['jitter 0.1', [{ kind: 'jitter', deviation: 0.1 }]],
  ['mixup 0.4', [{ kind: 'mixup', alpha: 0.4 }]],
  [
    'shift by 2, mixup 0.4',
    [
      { kind: 'shift', most: 2 },
      { kind: 'mixup', alpha: 0.4 },
    ],
  ],
];

/** Test accuracy of an MLP on MNIST from 300 training images. */
export async function imageTable(seeds: number): Promise<string[][]> {
  const test = flat(
    mnist(
      't10k',
      Uint32Array.from({ length: 2000 }, (_, i) => i),
    ),
  );
  return runAll(imageWays, seeds, (seed) => {
    const chosen = permutation(60_000, randomFrom(`images/${seed}`)).subarray(0, 300);
    const forward = mlp({ features: 784, hidden: [100], classes: 10 });
    return { forward, train: mnist('train', chosen), test, epochs: 400, learningRate: 0.1, shaped: flat };
  });
}

const seriesWays: readonly [string, unknown][] = [
  ['as they are', undefined],
  ['jitter 0.5', [{ kind: 'jitter', deviation: 0.5 }]],
  ['scale 0.4', [{ kind: 'scale', deviation: 0.4 }]],
  ['window-warp 0.3', [{ kind: 'window-warp', share: 0.3 }]],
];

/** Test accuracy of an MLP that tells three wave forms apart, from 150 noisy series of level 1, where others have levels of 0.3 to 3. */
export async function seriesTable(seeds: number): Promise<string[][]> {
  return runAll(seriesWays, seeds, (seed) => {
    const train = waves(150, randomFrom(`waves/${seed}`), () => 1);
    const test = waves(900, randomFrom(`other waves/${seed}`), (random) => 0.3 * 10 ** random.next());
    const forward = mlp({ features: 64, hidden: [64], classes: 3 });
    return { forward, train, test, epochs: 400, learningRate: 0.05, shaped: (samples) => samples };
  });
}

interface Experiment {
  readonly forward: Uint8Array;
  readonly train: Samples;
  readonly test: Samples;
  readonly epochs: number;
  readonly learningRate: number;
  /** As the model takes them. */
  readonly shaped: (samples: Samples) => Samples;
}

async function runAll(ways: readonly [string, unknown][], seeds: number, experiment: (seed: number) => Experiment) {
  const rows: string[][] = [];
  for (const [name, steps] of ways) {
    const augmentations = steps === undefined ? [] : parseAugmentations(steps);
    const accuracies: number[] = [];
    for (let seed = 0; seed < seeds; seed++) {
      const { shaped, ...made } = experiment(seed);
      const prepare = (samples: Samples, random: Random) => shaped(augment(samples, augmentations, random));
      accuracies.push((await trainAlone({ ...made, seed, prepare })).accuracy);
    }
    rows.push([name, meanText(accuracies)]);
  }
  return rows;
}

/** Sine, square and saw tooth of the same period and any phase. */
function waves(n: number, random: Random, level: (random: Random) => number): Samples {
  const forms = [(t: number) => Math.sin(2 * Math.PI * t), (t: number) => (t < 0.5 ? 1 : -1), (t: number) => 2 * t - 1];
  const y = Int32Array.from({ length: n }, (_, i) => i % 3);
  const x = new Float32Array(n * 64);
  for (let i = 0; i < n; i++) {
    const [phase, height] = [random.next(), level(random)];
    for (let t = 0; t < 64; t++) x[i * 64 + t] = height * (forms[y[i]]((t / 32 + phase) % 1) + random.normal(0, 0.3));
  }
  return { x, y, n, shape: [64] };
}

function mnist(part: 'train' | 't10k', chosen: Uint32Array): Samples {
  const read = (name: string) => gunzipSync(readFileSync(join(dataFolder, 'mnist', `${part}-${name}-ubyte.gz`)));
  const images = parseIdx(read('images-idx3'), 3, 'images');
  const labels = parseIdx(read('labels-idx1'), 1, 'labels');
  const x = new Float32Array(chosen.length * 784);
  chosen.forEach((image, i) => {
    for (let p = 0; p < 784; p++) x[i * 784 + p] = images.values[image * 784 + p] / 255;
  });
  return { x, y: Int32Array.from(chosen, (image) => labels.values[image]), n: chosen.length, shape: [1, 28, 28] };
}

function flat(samples: Samples): Samples {
  return { ...samples, shape: [784] };
}
