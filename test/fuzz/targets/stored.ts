import { layoutOf } from '../../../shared/core/params.ts';
import { layoutOfManifest, readManifest } from '../../../shared/orchestrator/manifest.ts';
import { readMeasurements } from '../../../shared/orchestrator/measure.ts';
import { readCache } from '../../../shared/orchestrator/update-cache.ts';
import { readLosses } from '../../../shared/orchestrator/update-losses.ts';
import { readVerdict } from '../../../shared/orchestrator/verdict.ts';
import { headerJson } from '../../../shared/wire/safetensors.ts';
import { type Manifest, manifestSchema } from '../../../shared/wire/workflow.ts';
import { MemoryObjectStore } from '../../memory/memory-object-store.ts';
import { hurtBytes, hurtJsonBytes } from '../mutate.ts';
import { must, type Target } from '../target.ts';

const location = { store: 'updates', key: 'updates/demo/t.safetensors', etag: '"e"', dataOffset: 128 };
const encoding = {
  codec: { kind: 'top-k', fraction: 0.1, compress: 'none' },
  chunkSize: 65_536,
  index: { start: 8, end: 24 },
  shared: { start: 24, end: 24 },
  frames: { start: 24, end: 99 },
};
const update = (client: string) => ({
  ticket: 'A'.repeat(43),
  client,
  sequence: '1',
  key: location.key,
  etag: '"e"',
  dataOffset: 128,
  sha256: '0'.repeat(64),
  examples: 20,
  staleness: 1,
  weight: 0.5,
  metrics: { loss: 0.3 },
  statement: 'a.b.c',
});
const manifest = {
  task: 'demo',
  version: 3,
  attempt: 0,
  base: { key: 'm', dataOffset: 64, parameters: 9, stateKeys: { momentum: 's' }, ruleStateKey: 'r', cacheKey: 'c' },
  updates: [update('a'), { ...update('b'), encoding }],
  judge: {
    rules: [{ kind: 'krum', attackers: { fraction: 0.2 } }],
    references: [{ name: 'root', terms: [{ location: { store: 'models', key: 'r', dataOffset: 0 }, weight: 1 }] }],
    products: 'gram',
    sketchSize: 4,
    lossesPerCell: 1,
  },
  cache: { delayLimit: 20 },
  references: [{ location, weight: -0.5 }],
  calibration: { next: { state: 1, sum: 1 }, direction: { state: 1, sum: 0 } },
  stepScale: 1,
  statistics: {
    ranges: [{ start: 0, end: 3, isVariance: true }],
    bases: [{ staleness: 1, location: { ...location, store: 'models' } }],
  },
  serverOptimizer: { kind: 'sgd', learningRate: 1, momentum: 0.9 },
  download: { kind: 'fp16', compress: 'none' },
  optimizerRound: { step: 2, maxStaleness: 1 },
  plan: {
    tiles: [
      { index: 0, start: 0, end: 5 },
      { index: 1, start: 5, end: 9 },
    ],
    levels: [2],
  },
  header: headerJson(layoutOf([{ name: 'w', shape: [3, 3] }])),
  model: { key: 'm2', uploadId: 'u' },
  state: [{ key: 's2', uploadId: 'v', name: 'momentum' }],
};

const key = 'document';
const own: Manifest = manifestSchema.parse(manifest);

function storeOf(bytes: Uint8Array, at = [key]): MemoryObjectStore {
  const store = new MemoryObjectStore();
  for (const name of at) store.objects.set(name, bytes);
  return store;
}

function document(
  name: string,
  valid: readonly unknown[],
  read: (store: MemoryObjectStore) => Promise<void>,
  at = [key],
): Target {
  const texts = valid.map((value) => JSON.stringify(value));
  return {
    name: `stored-${name}`,
    valid: texts.map((text) => new TextEncoder().encode(text)),
    inputs: hurtJsonBytes(texts),
    read: (bytes) => read(storeOf(bytes, at)),
  };
}

const folder = 'tasks/demo/rounds/3-0';
const measured = ['0', '1'].map((tile) => `${folder}/measures/${tile}.bin`);

/** What one function writes and another reads back. */
export const storedDocuments: readonly Target[] = [
  document('manifest', [manifest], async (store) => {
    const found = await readManifest(store, key);
    if (!found) throw new Error('no manifest');
    const { tiles, levels } = found.plan;
    must(
      tiles.every(({ start, end }, i) => start === (tiles[i - 1]?.end ?? 0) && start <= end),
      'tiles that leave gaps',
    );
    must(tiles.at(-1)?.end === found.base.parameters, 'tiles of another number of parameters');
    must(tiles.length * levels.reduce((a, b) => a + b, 0) <= 1e9, 'cells without end');
    must(layoutOfManifest(found).size === found.base.parameters, 'a header of another number of parameters');
  }),
  document(
    'verdict',
    [
      {
        rows: [
          {
            terms: [
              [0, 1],
              [2, -0.5],
            ],
            weight: 1,
          },
        ],
        coordinate: { kind: 'trimmed-mean', trim: 1 },
        rejected: [{ update: 1, why: 'far' }],
        scores: { krum: [0.5, null] },
      },
    ],
    async (store) => {
      const { rows, rejected } = await readVerdict(store, own);
      must(
        rows.every(({ terms, weight }) => Number.isFinite(weight) && terms.length > 0),
        'a row of nothing',
      );
      must(
        rejected.every((rejection) => Number.isSafeInteger(rejection.update)),
        'a rejection of nothing',
      );
    },
    [`${folder}/verdict.json`],
  ),
  document(
    'cache',
    [{ a: { version: 2, location }, 'b.c': { version: 1, location: { ...location, encoding } } }],
    async (store) => {
      for (const { version } of (await readCache(store, key)).values()) must(version >= 0, 'a version below zero');
    },
  ),
  document(
    'losses',
    [{ base: 0.5, updates: [0.25] }],
    async (store) => {
      const losses = await readLosses(store, own);
      must(losses?.updates.length === own.updates.length, 'losses of another number of updates');
    },
    ['0', '1'].map((cell) => `${folder}/losses/${cell}.json`),
  ),
  {
    name: 'stored-measurements',
    valid: [new Uint8Array(8 * (9 + 3 * 4))],
    inputs: hurtBytes([new Uint8Array(8 * (9 + 3 * 4))]),
    async read(bytes) {
      const { gram, sketches } = await readMeasurements(storeOf(bytes, measured), own);
      must(gram.length === 9 && sketches.length === 12, 'measurements of another number of vectors');
    },
  },
];
