import { FlError } from '../core/errors.ts';
import { stalenessShare } from '../core/staleness/staleness-share.ts';
import type { ModelLocation, VersionRecord } from '../ports/round-store.ts';
import type { Metrics } from '../wire/api.ts';
import { headerBytes } from '../wire/safetensors.ts';
import type { Verdict } from '../wire/verdict.ts';
import type { Manifest, ManifestInput, Published } from '../wire/workflow.ts';
import { cacheKey, ruleStateKey } from './keys.ts';
import { requireManifest } from './manifest.ts';
import type { Ports } from './ports.ts';
import { requireTask } from './require-task.ts';
import { countedOf } from './round-vectors.ts';
import { isToCome } from './start-round.ts';
import { writeNextCache } from './update-cache.ts';
import { readVerdict } from './verdict.ts';

/**
 * Joins the tiles to the next model and moves the task's version pointer to it. Repeatable: a round that published
 * before finds its own manifest behind the pointer.
 * @throws {FlError} `round-superseded` if another version took the place or the attempt was given up, `parts-missing` if a
 * tile has not been made
 */
export async function publish(
  ports: Pick<Ports, 'rounds' | 'models' | 'clock'>,
  { manifestKey }: ManifestInput,
): Promise<Published> {
  const { rounds, models, clock } = ports;
  const manifest = await requireManifest(models, manifestKey);
  const { task, version, plan } = manifest;
  const done: Published = { task, version, manifestKey };
  const existing = await rounds.version(task, version);
  if (existing?.manifestKey === manifestKey) return done;
  const superseded = new FlError('round-superseded', `version ${version} of "${task}" is left to another attempt`);
  if (!isToCome(manifest, await requireTask(ports, task))) throw superseded;

  for (const { key, uploadId } of [manifest.model, ...manifest.state]) {
    await models.completeParts(key, uploadId, plan.tiles.length);
  }
  await writeNextCache(models, manifest);
  const verdict = manifest.judge && (await readVerdict(models, manifest));
  const parent = await rounds.version(task, version - 1);
  const record: VersionRecord = {
    ...summary(manifest, verdict),
    origin: { kind: 'round' },
    publishedAtMs: clock.now(),
    model: location(manifest),
    manifestKey,
    ...(manifest.download && { delta: { attempt: manifest.attempt, tiles: plan.tiles.length } }),
    aggregatedTotal: (parent?.aggregatedTotal ?? 0) + manifest.updates.length - (verdict?.rejected.length ?? 0),
  };
  if ((await rounds.publish(task, record, manifest.attempt)) === 'superseded') {
    const winner = await rounds.version(task, version);
    if (winner?.manifestKey !== manifestKey) throw superseded;
  }
  return done;
}

/** Where the version's bytes lie, from the header that its first tile carries. */
function location(manifest: Manifest): ModelLocation {
  const { header, base, model, state, judge, cache } = manifest;
  return {
    key: model.key,
    dataOffset: headerBytes(header).length,
    parameters: base.parameters,
    stateKeys: Object.fromEntries(state.map(({ name, key }) => [name, key])),
    ...(judge && { ruleStateKey: ruleStateKey(manifest) }),
    ...(cache && { cacheKey: cacheKey(manifest) }),
  };
}

function summary(manifest: Manifest, verdict: Verdict | undefined) {
  const { version, updates } = manifest;
  const rejected = new Set(verdict?.rejected.map(({ update }) => update));
  const taken = updates.filter((_, i) => !rejected.has(i));
  const staleness: Record<string, number> = {};
  for (const { staleness: behind } of taken) staleness[behind] = (staleness[behind] ?? 0) + 1;
  const counted = countedOf(manifest, verdict);
  const shares = counted.some((weight) => weight > 0) ? stalenessShare(updates, counted) : [];
  return {
    version,
    updates: taken.length,
    rejected: rejected.size,
    examples: taken.reduce((sum, { examples }) => sum + examples, 0),
    staleness,
    effectiveStaleness: Object.fromEntries(shares.map(({ staleness: behind, share }) => [behind, share])),
    clientMetrics: meanMetrics(taken.map(({ metrics }) => metrics)),
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
