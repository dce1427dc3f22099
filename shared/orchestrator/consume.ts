import type { TaskRecord, VersionRecord } from '../ports/round-store.ts';
import type { Manifest, RoundInput } from '../wire/workflow.ts';
import { quarantineBuffered } from './close-task.ts';
import { removeLeftovers, requireManifest } from './manifest.ts';
import type { Ports } from './ports.ts';
import { releasedUpdates } from './update-cache.ts';
import { readVerdict } from './verdict.ts';

type ConsumePorts = Pick<Ports, 'rounds' | 'models' | 'updates' | 'clock' | 'telemetry'>;

/**
 * Takes the updates of every published version out of the buffer, those that its rules rejected into quarantine, and
 * deletes their bytes, from the first version whose round did not get that far. Repeatable.
 */
export async function consumePublished(
  ports: ConsumePorts,
  { task, settledVersion, version: newest }: Pick<TaskRecord, 'task' | 'settledVersion' | 'version'>,
): Promise<void> {
  const { rounds, models } = ports;
  let before = settledVersion < newest ? await rounds.version(task, settledVersion) : undefined;
  for (let version = settledVersion + 1; version <= newest; version++) {
    const record = await rounds.version(task, version);
    const manifest = record?.manifestKey === undefined ? undefined : await requireManifest(models, record.manifestKey);
    const rejected = manifest?.judge ? await quarantineRejected(ports, manifest) : new Set<number>();
    await removeBytes(ports, { record, before, manifest, rejected });
    if (manifest) await removeLeftovers(models, manifest);
    // Last, because it marks the version as settled: what comes before is done again if it is not.
    await rounds.consume(task, version, manifest?.updates.filter((_, i) => !rejected.has(i)) ?? []);
    before = record;
  }
}

interface Consumption {
  readonly record: VersionRecord | undefined;
  readonly before: VersionRecord | undefined;
  readonly manifest: Manifest | undefined;
  readonly rejected: ReadonlySet<number>;
}

async function removeBytes({ models, updates }: ConsumePorts, { record, before, manifest, rejected }: Consumption) {
  const own = manifest?.updates.map(({ key }) => key) ?? [];
  const caches = { before: before?.model.cacheKey, now: record?.model.cacheKey };
  // What was rejected stays in the bucket as evidence, until its lifecycle rule takes it.
  const evidence = new Set([...rejected].map((i) => own[i]));
  const released = (await releasedUpdates(models, own, caches)).filter((key) => !evidence.has(key));
  if (released.length > 0) await updates.remove(released);
}

/**
 * Puts aside what the rules of a judged round rejected. Repeatable. @returns indices of the rejected updates
 * @param round as long as the round has not been published: itself, which this ends
 */
export async function quarantineRejected(
  ports: Pick<Ports, 'rounds' | 'models' | 'clock' | 'telemetry'>,
  manifest: Manifest,
  round?: RoundInput,
): Promise<ReadonlySet<number>> {
  const { rejected } = await readVerdict(ports.models, manifest);
  for (const [i, { update, why }] of rejected.entries()) {
    const current = round && { ...round, attempt: round.attempt + i };
    const outcome = await quarantineBuffered(ports, manifest.updates[update], 'rejected', why, current);
    if (round && outcome === 'already') break;
  }
  if (rejected.length > 0) {
    ports.telemetry.record(manifest.task, { UpdatesQuarantined: rejected.length }, { reason: 'rejected' });
  }
  return new Set(rejected.map(({ update }) => update));
}
