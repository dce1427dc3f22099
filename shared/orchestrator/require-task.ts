import { FlError } from '../core/errors.ts';
import type { TaskId } from '../core/names.ts';
import type { ModelLocation, TaskRecord } from '../ports/round-store.ts';
import type { Ports } from './ports.ts';

/** A task that has published a version, and where that lies. */
export interface PublishedTask {
  readonly record: TaskRecord;
  readonly model: ModelLocation;
}

/** @throws {FlError} `task-unknown` */
export async function requireTask({ rounds }: Pick<Ports, 'rounds'>, task: TaskId): Promise<TaskRecord> {
  const record = await rounds.task(task);
  if (!record) throw new FlError('task-unknown', `there is no task "${task}"`);
  return record;
}

/** @throws {FlError} `task-unknown`, or `task-not-started` for a draft */
export async function requirePublished(ports: Pick<Ports, 'rounds'>, task: TaskId): Promise<PublishedTask> {
  const record = await requireTask(ports, task);
  if (!record.model) {
    throw new FlError('task-not-started', `task "${task}" is a draft: start it first`, { retry: 'later' });
  }
  return { record, model: record.model };
}
