import { pick } from '../../client/typescript/data/pick.ts';
import { loadFederation } from '../../local/data/load-federation.ts';
import { permutation, randomFrom } from '../../shared/core/random.ts';
import type { Samples } from '../../shared/core/samples.ts';
import { settings } from './settings.ts';

/** Who takes part in the runs of a seed, and what the server holds. */
export interface Population {
  readonly clients: readonly { readonly id: string; readonly samples: Samples }[];
  readonly classes: number;
  readonly heldOut: Samples;
  /** The server's own examples: drawn from images that no client holds. */
  readonly root: Samples;
}

/** @throws {FlError} `data-missing` if the folder holds no MNIST */
export async function loadPopulation(dataDir: string, seed: number): Promise<Population> {
  const { clients: cutFor, alpha, heldOut } = { ...settings, clients: settings.cutFor };
  const federation = await loadFederation({
    dataset: 'mnist',
    dataDir,
    clients: cutFor,
    split: { kind: 'dirichlet', alpha },
    heldOut,
    seed,
  });
  const clients = federation.clients.slice(0, settings.clients);
  return {
    clients: clients.map(({ id, train }) => ({ id, samples: flat(pick(train, [...train.y.keys()])) })),
    classes: federation.classes,
    heldOut: flat(federation.heldOut),
    root: flat(
      rootSet(
        federation.clients.slice(settings.clients).map(({ train }) => train),
        seed,
      ),
    ),
  };
}

/** Examples of clients drawn at random, one each, of those who take no part. */
function rootSet(others: readonly Samples[], seed: number): Samples {
  const random = randomFrom(`attacks/root/${seed}`);
  const chosen = Array.from(permutation(others.length, random).subarray(0, settings.rootExamples), (i) => others[i]);
  const examples = chosen.map((samples) => pick(samples, [random.below(samples.n)]));
  const width = examples[0].x.length;
  const x = new Float32Array(examples.length * width);
  for (const [i, example] of examples.entries()) x.set(example.x, i * width);
  return { ...examples[0], x, y: Int32Array.from(examples, ({ y }) => y[0]), n: examples.length };
}

/** One row of features an example, as the dense model takes it. */
const flat = (samples: Samples): Samples => ({ ...samples, shape: [samples.x.length / samples.n] });
