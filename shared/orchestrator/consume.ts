import type { TaskId } from '../core/names.ts';
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
 * deletes the bytes that the task's retention lets go, from the first version whose round did not get that far. Repeatable.
 */
export async function consumePublished(
  ports: ConsumePorts,
  { task, config, settledVersion, version: newest }: Pick<TaskRecord, 'task' | 'config' | 'settledVersion' | 'version'>,
): Promise<void> {
  const { rounds, models } = ports;
  const history = new History(ports, task);
  for (let version = settledVersion + 1; version <= newest; version++) {
    const { manifest } = await history.at(version);
    const rejected = manifest?.judge ? await quarantineRejected(ports, manifest) : new Set<number>();
    await removeBytes(ports, history, version - config.retention.updateVersions);
    if (manifest) await removeLeftovers(models, manifest);
    // Last, because it marks the version as settled: what comes before is done again if it is not.
    await rounds.consume(task, version, manifest?.updates.filter((_, i) => !rejected.has(i)) ?? []);
  }
}

interface Past {
  readonly record: VersionRecord | undefined;
  readonly manifest: Manifest | undefined;
}

/** Versions of a task with their manifests, each read once. */
class History {
  readonly #ports: Pick<Ports, 'rounds' | 'models'>;
  readonly #task: TaskId;
  readonly #read = new Map<number, Promise<Past>>();

  constructor(ports: Pick<Ports, 'rounds' | 'models'>, task: TaskId) {
    this.#ports = ports;
    this.#task = task;
  }

  record(version: number): Promise<VersionRecord | undefined> {
    return this.#read.get(version)?.then(({ record }) => record) ?? this.#ports.rounds.version(this.#task, version);
  }

  at(version: number): Promise<Past> {
    const past = this.#read.get(version) ?? this.#load(version);
    this.#read.set(version, past);
    return past;
  }

  async #load(version: number): Promise<Past> {
    const record = await this.#ports.rounds.version(this.#task, version);
    const key = record?.manifestKey;
    return { record, manifest: key === undefined ? undefined : await requireManifest(this.#ports.models, key) };
  }
}

/** Deletes the updates that nobody has needed since `version` was published. */
async function removeBytes({ models, updates }: ConsumePorts, history: History, version: number): Promise<void> {
  if (version < 0) return;
  const { record, manifest } = await history.at(version);
  const before = await history.record(version - 1);
  const own = manifest?.updates.map(({ key }) => key) ?? [];
  // What was rejected stays in the bucket as evidence, until its lifecycle rule takes it.
  const rejected = manifest?.judge ? (await readVerdict(models, manifest)).rejected : [];
  const evidence = new Set(rejected.map(({ update }) => own[update]));
  const caches = { before: before?.model.cacheKey, now: record?.model.cacheKey };
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
