import { FlError } from '../core/errors.ts';
import type { UploadedPart } from '../ports/object-stores.ts';
import type { ModelLocation, VersionRecord } from '../ports/round-store.ts';
import type { Metrics } from '../wire/api.ts';
import { headerBytes } from '../wire/safetensors.ts';
import type { Manifest, Published, PublishInput } from '../wire/workflow.ts';
import { requireManifest } from './manifest.ts';
import type { Ports } from './ports.ts';

/**
 * Joins the tiles to the next model and moves the task's version pointer to it. Repeatable: a round that published
 * before finds its own manifest behind the pointer.
 * @throws {FlError} `round-superseded` if another version took the place
 */
export async function publish(
  ports: Pick<Ports, 'rounds' | 'models' | 'clock'>,
  { manifestKey, parts }: PublishInput,
): Promise<Published> {
  const { rounds, models, clock } = ports;
  const manifest = await requireManifest(models, manifestKey);
  const { task, version } = manifest;
  const done: Published = { task, version, manifestKey };
  const existing = await rounds.version(task, version);
  if (existing?.manifestKey === manifestKey) return done;

  await complete(
    ports,
    manifest.model,
    parts.map(({ model }) => model),
  );
  if (manifest.state) {
    await complete(
      ports,
      manifest.state,
      parts.flatMap(({ state }) => state ?? []),
    );
  }
  const parent = await rounds.version(task, version - 1);
  const record: VersionRecord = {
    ...summary(manifest),
    origin: { kind: 'round' },
    publishedAtMs: clock.now(),
    model: location(manifest),
    manifestKey,
    aggregatedTotal: (parent?.aggregatedTotal ?? 0) + manifest.updates.length,
  };
  if ((await rounds.publish(task, record)) === 'superseded') {
    const winner = await rounds.version(task, version);
    if (winner?.manifestKey !== manifestKey) {
      throw new FlError('round-superseded', `version ${version} of "${task}" was published by another round`);
    }
  }
  return done;
}

async function complete(
  { models }: Pick<Ports, 'models'>,
  { key, uploadId }: Manifest['model'],
  parts: readonly UploadedPart[],
): Promise<void> {
  const ordered = [...parts].sort((a, b) => a.partNumber - b.partNumber);
  await models.completeParts(key, uploadId, ordered);
}

/** Where the version's bytes lie, from the header that its first tile carries. */
function location({ header, base, model, state }: Manifest): ModelLocation {
  return {
    key: model.key,
    dataOffset: headerBytes(header).length,
    parameters: base.parameters,
    stateKey: state?.key,
  };
}

function summary({ version, updates }: Manifest) {
  const staleness: Record<string, number> = {};
  for (const update of updates) staleness[update.staleness] = (staleness[update.staleness] ?? 0) + 1;
  return {
    version,
    updates: updates.length,
    examples: updates.reduce((sum, { examples }) => sum + examples, 0),
    staleness,
    clientMetrics: meanMetrics(updates.map(({ metrics }) => metrics)),
  };
}

/** Names of metrics that a version keeps: clients choose the names, and a record has a size. */
const mostMetrics = 20;

/** The mean of each metric over the clients that reported it; of too many names, the first in alphabetical order. */
function meanMetrics(reports: readonly Metrics[]): Metrics {
  const sums = new Map<string, { sum: number; count: number }>();
  for (const report of reports) {
    for (const [name, value] of Object.entries(report)) {
      const { sum, count } = sums.get(name) ?? { sum: 0, count: 0 };
      sums.set(name, { sum: sum + value, count: count + 1 });
    }
  }
  const means = [...sums].map(([name, { sum, count }]) => [name, sum / count] as const);
  return Object.fromEntries(means.sort(([a], [b]) => (a < b ? -1 : 1)).slice(0, mostMetrics));
}
