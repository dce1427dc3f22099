import { FlError } from '../core/errors.ts';
import type { TaskId } from '../core/names.ts';
import type { ModelLocation, TaskRecord, VersionRecord } from '../ports/round-store.ts';
import type { ArtifactName, CreateTaskRequest, CreateTaskResponse, PresignedPut, TaskState } from '../wire/api.ts';
import { artifactNames } from '../wire/api.ts';
import { consumePublished } from './consume.ts';
import { artifactKey } from './keys.ts';
import type { Ports } from './ports.ts';
import { openSafetensors } from './read-object.ts';
import { requireFinite } from './require-finite.ts';
import { requirePublished, requireTask } from './require-task.ts';
import { startRoundIfReady } from './start-round.ts';

const uploadLifetimeMs = 60 * 60_000;

/**
 * Declares a task and presigns the upload of its training package. Asking again with the same declaration gives fresh
 * URLs while the task is a draft.
 * @throws {FlError} `task-exists`
 */
export async function createTask(
  { rounds, models, clock }: Pick<Ports, 'rounds' | 'models' | 'clock'>,
  { config, artifacts }: CreateTaskRequest,
): Promise<CreateTaskResponse> {
  const nowMs = clock.now();
  const draft: TaskRecord = {
    task: config.task,
    config,
    artifacts,
    state: 'draft',
    createdAtMs: nowMs,
    version: -1,
    settledVersion: -1,
    attempt: 0,
    failures: 0,
  };
  if ((await rounds.createTask(draft)) === 'exists') {
    const existing = await rounds.task(config.task);
    const same = JSON.stringify([existing?.config, existing?.artifacts]) === JSON.stringify([config, artifacts]);
    if (existing?.state !== 'draft' || !same) {
      throw new FlError('task-exists', `there is a task "${config.task}" already`);
    }
  }
  const uploads: Partial<Record<ArtifactName, PresignedPut>> = {};
  for (const name of artifactNames) {
    const artifact = artifacts[name];
    if (!artifact) continue;
    const key = artifactKey(config.task, name);
    uploads[name] = await models.presignPut(key, artifact.bytes, artifact.sha256, nowMs + uploadLifetimeMs);
  }
  return { task: config.task, uploads };
}

/**
 * Publishes the initial model as version 0 and lets clients in; a stopped or suspended task goes on where it was.
 * @throws {FlError} `task-unknown`, `artifact-missing`, `safetensors-malformed`, `non-finite`, `task-ended`
 */
export async function startTask(
  ports: Pick<Ports, 'rounds' | 'models' | 'queue' | 'starter' | 'gauge' | 'clock'>,
  task: TaskId,
): Promise<void> {
  const record = await requireTask(ports, task);
  if (record.state === 'completed') throw new FlError('task-ended', `task "${task}" is completed`);
  if (record.version < 0) await publishInitial(ports, record);
  if (record.settledVersion < 0) await ports.rounds.consume(task, 0, []);
  await ports.rounds.setTaskState(task, ['draft', 'stopped', 'suspended'], 'running', 'started');
  await startRoundIfReady(ports, task, { unsettled: true });
}

async function publishInitial(
  { rounds, models, clock }: Pick<Ports, 'rounds' | 'models' | 'clock'>,
  record: TaskRecord,
) {
  for (const name of artifactNames) {
    const declared = record.artifacts[name];
    if (!declared) continue;
    const found = await models.head(artifactKey(record.task, name));
    if (found?.bytes !== declared.bytes) {
      throw new FlError(
        'artifact-missing',
        `${name}: ${found ? `${found.bytes} bytes` : 'not uploaded'}, expected ${declared.bytes}`,
      );
    }
  }
  const key = artifactKey(record.task, 'initial.safetensors');
  const bytes = record.artifacts['initial.safetensors']?.bytes ?? 0;
  const { header, data } = await openSafetensors(models, key, { fileBytes: bytes });
  await requireFinite(data, header.layout.size).finally(() => data.close());
  const initial: VersionRecord = {
    ...withoutUpdates,
    version: 0,
    origin: { kind: 'initial' },
    publishedAtMs: clock.now(),
    model: { key, dataOffset: header.dataOffset, parameters: header.layout.size },
    aggregatedTotal: 0,
  };
  await rounds.publish(record.task, initial, record.attempt);
}

const withoutUpdates = { updates: 0, examples: 0, staleness: {}, clientMetrics: {} };

/** Stops giving tickets; a round under way still publishes. @throws {FlError} `task-unknown`, `task-ended` */
export async function stopTask({ rounds }: Pick<Ports, 'rounds'>, task: TaskId): Promise<void> {
  const from: readonly TaskState[] = ['draft', 'running', 'suspended'];
  await requireTask({ rounds }, task);
  if ((await rounds.setTaskState(task, from, 'stopped', 'stopped by the operator')) === 'done') return;
  const { state } = await requireTask({ rounds }, task);
  if (state !== 'stopped') throw new FlError('task-ended', `task "${task}" is ${state}`);
}

/**
 * Publishes the model and optimizer state of an earlier version as the next one: history stays linear. Asked again before
 * anything else was published, it gives the version that is there.
 * @throws {FlError} `task-unknown`, `version-unknown`, `busy` if a round published or failed meanwhile
 */
export async function rollback(
  ports: Pick<Ports, 'rounds' | 'models' | 'updates' | 'queue' | 'starter' | 'gauge' | 'clock' | 'telemetry'>,
  task: TaskId,
  to: number,
): Promise<number> {
  const { record } = await requirePublished(ports, task);
  const [target, newest] = await Promise.all([
    ports.rounds.version(task, to),
    ports.rounds.version(task, record.version),
  ]);
  if (!target || !newest) throw new FlError('version-unknown', `task "${task}" has no version ${to}`);
  const isDone = newest.origin.kind === 'rollback' && newest.origin.to === to;
  const version = isDone ? newest.version : newest.version + 1;
  if (!isDone) {
    const next: VersionRecord = {
      ...withoutUpdates,
      version,
      origin: { kind: 'rollback', to },
      publishedAtMs: ports.clock.now(),
      evaluation: target.evaluation,
      model: withoutCache(target.model),
      aggregatedTotal: newest.aggregatedTotal,
    };
    if ((await ports.rounds.publish(task, next, record.attempt)) === 'superseded') {
      throw new FlError('busy', 'the task moved on meanwhile: try again', { retry: 'now' });
    }
  }
  await consumePublished(ports, await requireTask(ports, task));
  await startRoundIfReady(ports, task);
  return version;
}

/** The updates that an asynchronous method kept for that version may be gone: it starts anew. */
function withoutCache({ cacheKey: _, ...model }: ModelLocation): ModelLocation {
  return model;
}
