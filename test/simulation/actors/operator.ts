import type { TaskId } from '../../../shared/core/names.ts';
import { layoutOf } from '../../../shared/core/params.ts';
import { randomFrom } from '../../../shared/core/random.ts';
import { artifactKey } from '../../../shared/orchestrator/keys.ts';
import { type ArtifactName, artifactNames } from '../../../shared/wire/api.ts';
import { encodeHeldOut } from '../../../shared/wire/held-out.ts';
import { encodeSafetensors } from '../../../shared/wire/safetensors.ts';
import { taskConfigSchema } from '../../../shared/wire/task-config.ts';
import type { Scenario } from '../scenario.ts';
import type { Cloud } from '../world/cloud.ts';
import { hashOf } from '../world/journal.ts';
import { persist, request } from './api.ts';

const operate = (cloud: Cloud, what: string, work: Parameters<typeof request>[3]) =>
  persist(cloud, 30, () => request(cloud, 'OperateTasks', what, work));

/** Declares the task, uploads its package and starts it, however often that takes. */
export async function startTask(cloud: Cloud, scenario: Scenario): Promise<void> {
  const { steps } = cloud;
  const config = taskConfigSchema.parse(scenario.config);
  const { task } = config;
  const random = randomFrom(`${scenario.seed}/model`);
  const values = Float32Array.from({ length: scenario.parameters }, () => random.normal());
  const heldOut = encodeHeldOut({ x: new Float32Array([1]), y: new Int32Array([0]), n: 1, shape: [1] });
  const files = new Map<ArtifactName, Uint8Array>();
  const left = new Set<ArtifactName>(['root.safetensors', 'encoding.json']);
  for (const name of artifactNames) if (!left.has(name)) files.set(name, new Uint8Array([1]));
  files.set('initial.safetensors', encodeSafetensors({ layout: layoutOf(scenario.tensors), values }));
  files.set('held-out.safetensors', heldOut);
  const artifacts = Object.fromEntries(
    [...files].map(([name, bytes]) => [name, { bytes: bytes.length, sha256: hashOf(bytes) }]),
  );
  await operate(cloud, 'create', (ports) => steps.createTask(ports, { config, artifacts }));
  for (const [name, bytes] of files) cloud.models.objects.set(artifactKey(task, name), bytes);
  await resume(cloud, task);
}

export async function resume(cloud: Cloud, task: TaskId): Promise<void> {
  await operate(cloud, 'start', (ports) => cloud.steps.startTask(ports, task));
}

/** Does the scenario's share of what operators, lifecycle rules and power cuts do, at random times. */
export async function disturb(cloud: Cloud, scenario: Scenario): Promise<void> {
  const { steps, time } = cloud;
  const random = randomFrom(`${scenario.seed}/operator`);
  const task = taskConfigSchema.parse(scenario.config).task;
  const { pauses, rollbacks, stops, deletions, restarts } = scenario.operator;
  const repeat = async (count: number, act: () => Promise<void>) => {
    for (let i = 0; i < count; i++) {
      await time.sleep(random.next() ** 2 * scenario.faultsMs);
      // Half of the time in the middle of a round, for most of the time none runs.
      if (random.next() < 0.5) {
        await Promise.race([cloud.machine.nextStart(), time.sleep(scenario.faultsMs / 4)]);
        await time.sleep(random.next() < 0.7 ? 500 * random.next() : 3_000 * random.next());
      }
      await act();
    }
  };
  const acts = [
    repeat(pauses, async () => {
      await operate(cloud, 'stop', (ports) => steps.stopTask(ports, task));
      await time.sleep(random.next() * 60_000);
      await resume(cloud, task);
    }),
    repeat(rollbacks, async () => {
      const newest = (await cloud.rounds.task(task))?.version ?? 0;
      const to = random.below(Math.max(newest, 0) + 1);
      await operate(cloud, `rollback to ${to}`, (ports) => steps.rollback(ports, task, to));
    }),
    repeat(stops, async () => {
      const running = [...cloud.machine.executions.values()].filter(({ status }) => status === 'RUNNING');
      if (running.length > 0) cloud.machine.stop(running[random.below(running.length)].name);
    }),
    repeat(deletions, async () => {
      const buffered = [...(cloud.rounds.shelves.get(task)?.buffer.values() ?? [])].map(({ key }) => key);
      const keys = random.next() < 0.5 ? [...cloud.updates.objects.keys()] : buffered;
      if (keys.length === 0) return;
      const key = keys[random.below(keys.length)];
      if (buffered.includes(key) && random.next() < 0.6) cloud.overwriteUpdate(key);
      else cloud.deleteUpdate(key);
    }),
    repeat(restarts, async () => cloud.restart()),
    repeat(2, async () => {
      await request(cloud, 'ShowTasks', '', (ports) => steps.showTask(ports, task));
    }),
  ];
  await Promise.all(acts);
}
