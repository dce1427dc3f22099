import { basename } from 'node:path';
import { type IdxBytes, parseIdx } from '../../../client/typescript/data/images/idx.ts';
import { slice } from '../../../client/typescript/data/pick.ts';
import { FlError } from '../../../shared/core/errors.ts';
import { permutation, randomFrom } from '../../../shared/core/random.ts';
import type { Samples } from '../../../shared/core/samples.ts';
import { checkNumber } from '../check-number.ts';
import type { Federation, LoadContext } from '../federation.ts';
import { fingerprintOf } from '../fingerprint.ts';
import { readPlainOrGzip } from '../read-file.ts';
import { fetchMnist, findMnist } from './files.ts';
import { dirichletSplit, shardSplit } from './label-split.ts';

export interface MnistOptions {
  readonly dataset: 'mnist';
  /** Folder of the four IDX files; without it they are downloaded into the cache. */
  readonly dataDir?: string;
  /** Default 100. */
  readonly clients?: number;
  /** How labels are spread over clients. Default Dirichlet(0.3); 2 shards each is McMahan's pathological split. */
  readonly split?:
    | { readonly kind: 'dirichlet'; readonly alpha?: number; readonly minimum?: number }
    | { readonly kind: 'shards'; readonly each?: number };
  /** Share of each client's examples kept as its own test set, in [0, 1). Default 0. */
  readonly testShare?: number;
  /** How many of the test images evaluate the task; a seeded choice. Default all. */
  readonly heldOut?: number;
  readonly seed?: number | string;
}

const classes = 10;
const limitBytes = 512 * 2 ** 20;

/**
 * MNIST, or any data set in its four files with labels 0 to 9, cut into clients by label. Pixels are bytes / 255,
 * in [0, 1], without centering; x has shape `[1, rows, columns]`. The held-out set is the test images.
 * Clients' examples are views of one buffer (188 MB for MNIST).
 * @throws {FlError} data-missing, data-malformed, data-offline, data-corrupt, option-invalid
 */
export async function loadMnist(options: MnistOptions, context: LoadContext = {}): Promise<Federation> {
  const clientCount = checkNumber('clients', options.clients ?? 100, 1, 60_000, true);
  const testShare = checkNumber('testShare', options.testShare ?? 0, 0, 0.9);
  const random = randomFrom(`mnist/${options.seed ?? 0}`);
  const paths = options.dataDir === undefined ? await fetchMnist(context) : await findMnist(options.dataDir);

  const read = async (path: string, rank: number): Promise<IdxBytes> => {
    context.onProgress?.({ step: 'read', message: `reading ${basename(path)}` });
    return parseIdx(await readPlainOrGzip(path, limitBytes, context.signal), rank, basename(path));
  };
  const trainLabels = await read(paths.trainLabels, 1);
  const parts = splitLabels(checkLabels(trainLabels, paths.trainLabels), options.split, clientCount, random);
  const trainImages = await read(paths.trainImages, 3);
  requireSameCount(trainImages, trainLabels, paths.trainImages);
  context.onProgress?.({ step: 'split', message: `cutting into ${clientCount} clients` });
  const all = gather(trainImages, trainLabels, parts);
  let from = 0;
  const clients = parts.map((part, k) => {
    const trainSize = part.length - Math.floor(testShare * part.length);
    const middle = from + trainSize;
    const to = from + part.length;
    const id = `client-${String(k).padStart(String(clientCount - 1).length, '0')}`;
    const client = { id, train: slice(all, from, middle), test: slice(all, middle, to) };
    from = to;
    return client;
  });

  const testLabels = await read(paths.testLabels, 1);
  checkLabels(testLabels, paths.testLabels);
  const testImages = await read(paths.testImages, 3);
  requireSameCount(testImages, testLabels, paths.testImages);
  if (String(testImages.dimensions.slice(1)) !== String(trainImages.dimensions.slice(1))) {
    throw new FlError(
      'data-malformed',
      `test images are [${testImages.dimensions}], training images [${trainImages.dimensions}]`,
    );
  }
  const available = testLabels.values.length;
  const wanted = checkNumber('heldOut', options.heldOut ?? available, 1, available, true);
  const heldOut = gather(testImages, testLabels, [
    permutation(available, random.fork('held-out')).subarray(0, wanted).sort(),
  ]);

  const shape = all.shape;
  const labels = Array.from({ length: classes }, (_, c) => String(c));
  const sizes = parts.map((part) => part.length).sort((a, b) => a - b);
  return {
    name: 'mnist',
    shape,
    classes,
    labels,
    clients,
    heldOut,
    // Simulated with 100 clients, Dirichlet(0.3): 96% first after 30 to 70 rounds; 20 at once were staler and took 45 to 95.
    suggestion: {
      model: { kind: 'mlp', hidden: [200] },
      learningRate: 0.3,
      batchSize: 32,
      localEpochs: 3,
      rounds: 200,
      targetAccuracy: 0.965,
      buffer: Math.min(10, clientCount),
      concurrency: Math.min(10, clientCount),
    },
    fingerprint: fingerprintOf({ shape, labels, clients, heldOut }),
    notes: [
      `clients hold ${sizes[0]} to ${sizes[sizes.length - 1]} images, median ${sizes[sizes.length >> 1]}`,
      `held-out set: ${wanted === available ? 'all' : `${wanted} of`} ${available} test images`,
    ],
  };
}

function splitLabels(
  labels: Uint8Array,
  split: MnistOptions['split'],
  clients: number,
  random: ReturnType<typeof randomFrom>,
) {
  if (split?.kind === 'shards') {
    const shardsEach = checkNumber('split.each', split.each ?? 2, 1, 1000, true);
    return shardSplit(labels, { classes, clients, shardsEach }, random.fork('shards'));
  }
  const alpha = checkNumber('split.alpha', split?.alpha ?? 0.3, 1e-3, 1e6);
  const minimum = checkNumber('split.minimum', split?.minimum ?? 20, 1, 60_000, true);
  return dirichletSplit(labels, { classes, clients, alpha, minimum }, random.fork('dirichlet'));
}

function gather(images: IdxBytes, labels: IdxBytes, parts: readonly Uint32Array[]): Samples {
  const [, rows, columns] = images.dimensions;
  const width = rows * columns;
  const n = parts.reduce((sum, part) => sum + part.length, 0);
  const x = new Float32Array(n * width);
  const y = new Int32Array(n);
  let at = 0;
  for (const part of parts) {
    for (const index of part) {
      const pixels = images.values.subarray(index * width, (index + 1) * width);
      for (let j = 0; j < width; j++) x[at * width + j] = pixels[j] / 255;
      y[at++] = labels.values[index];
    }
  }
  return { x, y, n, shape: [1, rows, columns] };
}

function checkLabels({ values }: IdxBytes, path: string): Uint8Array {
  const wrong = values.findIndex((label) => label >= classes);
  if (wrong >= 0) {
    throw new FlError(
      'data-malformed',
      `${basename(path)}: label ${values[wrong]} at ${wrong}, expected 0 to ${classes - 1}`,
    );
  }
  return values;
}

function requireSameCount(images: IdxBytes, labels: IdxBytes, path: string): void {
  const [count, rows, columns] = images.dimensions;
  if (count !== labels.values.length) {
    throw new FlError('data-malformed', `${basename(path)}: ${count} images, but ${labels.values.length} labels`);
  }
  if (count === 0 || rows === 0 || columns === 0) {
    throw new FlError('data-malformed', `${basename(path)}: no images: [${images.dimensions}]`);
  }
}
