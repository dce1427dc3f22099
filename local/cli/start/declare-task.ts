import { encodeHeldOut } from '../../../shared/wire/held-out.ts';
import { type TaskConfigInput, taskConfigSchema } from '../../../shared/wire/task-config.ts';
import type { Federation } from '../../data/federation.ts';
import { createTask } from '../create-task.ts';
import type { BuiltModel } from '../model-spec.ts';
import type { OperatorApi } from '../operator-api.ts';
import { freeName } from './task-name.ts';

/**
 * Creates and starts the task, or finds the same one still running: a kept cloud that was killed goes on with it.
 * @param configFor the configuration under a name
 * @returns its id, and whether it was there already
 */
export async function declareTask(
  api: OperatorApi,
  wanted: { readonly name: string; readonly exact: boolean },
  configFor: (name: string) => TaskConfigInput,
  model: BuiltModel,
  { heldOut }: Federation,
  signal: AbortSignal,
): Promise<{ task: string; resumed: boolean }> {
  const tasks = await api.tasks(signal);
  const sameFamily = tasks.filter(({ task, state }) => state === 'running' && task.startsWith(wanted.name));
  for (const { task } of sameFamily) {
    const { config } = await api.task(task, signal);
    if (JSON.stringify(config) === JSON.stringify(taskConfigSchema.parse(configFor(task))))
      return { task, resumed: true };
  }
  const name = wanted.exact ? wanted.name : freeName(wanted.name, new Set(tasks.map(({ task }) => task)));
  const set = heldOut.n > 0 ? encodeHeldOut(heldOut) : undefined;
  return { task: await createTask(api, configFor(name), model, set, signal), resumed: false };
}
