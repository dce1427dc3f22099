import { measurements } from '../../../shared/core/aggregator/measurements.ts';
import { type Samples, sliceSamples } from '../../../shared/core/samples.ts';
import { encodeHeldOut } from '../../../shared/wire/held-out.ts';
import { judgeSteps } from '../../../shared/wire/judge-steps.ts';
import { type TaskConfig, type TaskConfigInput, taskConfigSchema } from '../../../shared/wire/task-config.ts';
import type { Federation } from '../../data/federation.ts';
import { createTask, type OwnSamples } from '../create-task.ts';
import type { BuiltModel } from '../model-spec.ts';
import type { OperatorApi } from '../operator-api.ts';
import { freeName } from './task-name.ts';

/** Examples that the server trains on where a rule asks for it; FLTrust (arXiv:2012.13995) uses a hundred. */
const rootExamples = 100;

/** The first of the held-out examples become the root data where a rule wants some; the others stay held out. */
function ownSamples(heldOut: Samples, { aggregation }: TaskConfig): OwnSamples {
  const needsRoot = measurements(judgeSteps(aggregation.rules)).includes('root');
  const root = needsRoot ? Math.min(rootExamples, Math.floor(heldOut.n / 2)) : 0;
  return {
    ...(heldOut.n > 0 && { heldOut: encodeHeldOut(sliceSamples(heldOut, root, heldOut.n)) }),
    ...(root > 0 && { root: encodeHeldOut(sliceSamples(heldOut, 0, root)) }),
  };
}

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
  { heldOut, encoding }: Federation,
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
  const config = configFor(name);
  const samples = {
    ...ownSamples(heldOut, taskConfigSchema.parse(config)),
    ...(encoding && { encoding: new TextEncoder().encode(JSON.stringify(encoding)) }),
  };
  return { task: await createTask(api, config, model, samples, signal), resumed: false };
}
