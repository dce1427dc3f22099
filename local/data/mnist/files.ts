import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { FlError } from '../../../shared/core/errors.ts';
import { cacheDirectory } from '../cache-directory.ts';
import { downloadFiles, type RemoteFile } from '../download.ts';
import type { LoadContext } from '../federation.ts';

/** The four parts of MNIST by role. */
export interface MnistPaths {
  readonly trainImages: string;
  readonly trainLabels: string;
  readonly testImages: string;
  readonly testLabels: string;
}

const stems = {
  trainImages: 'train-images-idx3-ubyte',
  trainLabels: 'train-labels-idx1-ubyte',
  testImages: 't10k-images-idx3-ubyte',
  testLabels: 't10k-labels-idx1-ubyte',
} satisfies MnistPaths;

const mirrors = [
  'https://storage.googleapis.com/cvdf-datasets/mnist/',
  'https://ossci-datasets.s3.amazonaws.com/mnist/',
];

/** LeCun's four gzip files on the two mirrors that TensorFlow and torchvision use; both serve the same bytes. */
export const mnistFiles: readonly RemoteFile[] = [
  remote(stems.trainImages, 9_912_422, '440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609'),
  remote(stems.trainLabels, 28_881, '3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c'),
  remote(stems.testImages, 1_648_877, '8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6'),
  remote(stems.testLabels, 4_542, 'f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6'),
];

/**
 * Finds the four files in `dataDir`, plain or gzip, `train-images-idx3-ubyte` or `train-images.idx3-ubyte`.
 * @throws {FlError} data-missing, naming the directory and the file
 */
export async function findMnist(dataDir: string): Promise<MnistPaths> {
  return {
    trainImages: await findOne(dataDir, stems.trainImages),
    trainLabels: await findOne(dataDir, stems.trainLabels),
    testImages: await findOne(dataDir, stems.testImages),
    testLabels: await findOne(dataDir, stems.testLabels),
  };
}

/** Downloads what the cache lacks (11.6 MB in all) and returns the files there. */
export async function fetchMnist(context: LoadContext, cacheRoot = cacheDirectory()): Promise<MnistPaths> {
  const directory = join(cacheRoot, 'mnist');
  await downloadFiles({ files: mnistFiles, cacheDir: directory, ...context });
  return findMnist(directory);
}

async function findOne(dataDir: string, stem: string): Promise<string> {
  const dotted = stem.replace('-idx', '.idx');
  const candidates = [stem, dotted].flatMap((name) => [join(dataDir, name), join(dataDir, `${name}.gz`)]);
  for (const path of candidates) {
    const found = await access(path).then(
      () => true,
      () => false,
    );
    if (found) return path;
  }
  throw new FlError('data-missing', `${dataDir} holds no ${stem} (nor ${stem}.gz, ${dotted}, ${dotted}.gz)`);
}

function remote(stem: string, bytes: number, sha256: string): RemoteFile {
  const name = `${stem}.gz`;
  return { name, urls: mirrors.map((mirror) => mirror + name), sha256, bytes };
}
