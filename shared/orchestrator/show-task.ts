import { FlError } from '../core/errors.ts';
import type { TaskId } from '../core/names.ts';
import type { TaskRecord, VersionRecord } from '../ports/round-store.ts';
import {
  type ArtifactName,
  artifactNames,
  type Contributor,
  type TaskResponse,
  type TaskSummary,
  type VersionResponse,
} from '../wire/api.ts';
import { expireTickets } from './expire-tickets.ts';
import { artifactKey } from './keys.ts';
import { readManifest } from './manifest.ts';
import type { Ports } from './ports.ts';
import { requireTask } from './require-task.ts';

const quarantineShown = 50;
const contributorsShown = 100;
const urlLifetimeMs = 60 * 60_000;

export async function listTasks({ rounds }: Pick<Ports, 'rounds'>): Promise<readonly TaskSummary[]> {
  return (await rounds.tasks()).map(summary);
}

/** Everything an operator wants to know of a task at a glance. @throws {FlError} `task-unknown` */
export async function showTask(ports: Pick<Ports, 'rounds' | 'clock'>, task: TaskId): Promise<TaskResponse> {
  await expireTickets(ports, await requireTask(ports, task));
  const record = await requireTask(ports, task);
  const [counts, latest, buffer, quarantine] = await Promise.all([
    ports.rounds.counts(task),
    ports.rounds.version(task, record.version),
    ports.rounds.buffer(task, 10_000),
    ports.rounds.quarantined(task, quarantineShown),
  ]);
  const aggregated = latest?.aggregatedTotal ?? 0;
  return {
    ...summary(record),
    config: record.config,
    stateReason: record.stateReason,
    parameters: record.model?.parameters ?? 0,
    updates: { ...counts, aggregated, buffered: buffer.length },
    latest: latest && versionResponse(latest),
    quarantine,
  };
}

export async function listVersions(ports: Pick<Ports, 'rounds'>, task: TaskId): Promise<readonly VersionResponse[]> {
  await requireTask(ports, task);
  return (await ports.rounds.versions(task)).map(versionResponse);
}

/** One version with URLs to fetch it, and who contributed to it. @throws {FlError} `task-unknown`, `version-unknown` */
export async function showVersion(
  ports: Pick<Ports, 'rounds' | 'models'>,
  task: TaskId,
  version: number,
): Promise<VersionResponse> {
  const { artifacts } = await requireTask(ports, task);
  const record = await ports.rounds.version(task, version);
  if (!record) throw new FlError('version-unknown', `task "${task}" has no version ${version}`);
  const packageUrls: Partial<Record<ArtifactName, string>> = {};
  for (const name of artifactNames) {
    if (artifacts[name]) packageUrls[name] = await ports.models.presignGet(artifactKey(task, name), urlLifetimeMs);
  }
  const modelUrl = await ports.models.presignGet(record.model.key, urlLifetimeMs);
  const { manifestKey } = record;
  const manifestUrl = manifestKey === undefined ? undefined : await ports.models.presignGet(manifestKey, urlLifetimeMs);
  const contributors = await contributorsOf(ports, record);
  return { ...versionResponse(record), modelUrl, manifestUrl, packageUrls, contributors };
}

/** Of a manifest that is damaged or gone undefined: `model verify` says what is wrong with it. */
async function contributorsOf(
  { models }: Pick<Ports, 'models'>,
  { manifestKey }: VersionRecord,
): Promise<readonly Contributor[] | undefined> {
  if (manifestKey === undefined) return undefined;
  const manifest = await readManifest(models, manifestKey).catch((error: unknown) => {
    if (error instanceof FlError && ['manifest-malformed', 'object-missing'].includes(error.code)) return undefined;
    throw error;
  });
  return manifest?.updates
    .map(({ client, examples, staleness, agent }) => ({ client, examples, staleness, agent }))
    .sort((a, b) => (a.client < b.client ? -1 : 1))
    .slice(0, contributorsShown);
}

function summary({ task, state, version, createdAtMs, config }: TaskRecord): TaskSummary {
  return { task, state, version, createdAtMs, description: config.description };
}

function versionResponse({
  model: _,
  manifestKey: __,
  aggregatedTotal: ___,
  delta: ____,
  ...shown
}: VersionRecord): VersionResponse {
  return shown;
}
