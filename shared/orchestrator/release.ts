import { FlError } from '../core/errors.ts';
import type { ModelStore } from '../ports/object-stores.ts';
import type { Manifest, ReleaseInput } from '../wire/workflow.ts';
import { consumePublished, quarantineRejected } from './consume.ts';
import { manifestKey } from './keys.ts';
import { giveUpRound, readManifest } from './manifest.ts';
import type { Ports } from './ports.ts';
import { requireTask } from './require-task.ts';
import { isToCome, mostFailures, startRoundIfReady } from './start-round.ts';

/** The same updates would make the same model: trying again changes nothing. */
const hopeless: readonly string[] = ['model-not-finite', 'cohort-too-small'];

/**
 * Cleans up after a round that failed. Its updates never left the buffer; its uploads are given up and the round may run
 * again under the next execution number; one that had published is settled. After five failures in a row, or one that
 * no other try could mend, the task is suspended. Where rules rejected so many updates that too few were left, those go to
 * quarantine and the round waits for others: it has not failed. Repeatable.
 */
export async function release(
  ports: Pick<Ports, 'rounds' | 'models' | 'updates' | 'queue' | 'starter' | 'gauge' | 'clock' | 'telemetry'>,
  { error, cause, ...round }: ReleaseInput,
): Promise<void> {
  const { task, version } = round;
  const record = await requireTask(ports, task);
  const isCurrent = isToCome(round, record);
  const published = await ports.rounds.version(task, version);
  const key = manifestKey(round);
  const manifest = await readableManifest(ports.models, key);
  if (published?.manifestKey === key) await consumePublished(ports, record);
  else if (manifest) await giveUpRound(ports.models, manifest);
  // A task that has ended is not in a hurry: its notes go on until the last version is settled.
  const unsettled = record.state !== 'completed';
  if (error === 'cohort-too-small' && isCurrent && manifest) {
    const rejected = await quarantineRejected(ports, manifest, round);
    if (rejected.size > 0) {
      await ports.rounds.nextAttempt(round, 'not-ready');
      await startRoundIfReady(ports, task, { unsettled });
      return;
    }
  }
  ports.telemetry.record(task, { RoundsFailed: 1 }, { error, cause: cause.slice(0, 500), version });
  // A distributed Map wraps the code of the child that failed.
  const hopelessCode = hopeless.find((code) => error === code || cause.includes(`[${code}]`));
  if (isCurrent && hopelessCode !== undefined) {
    await ports.rounds.setTaskState(task, ['running'], 'suspended', `a round failed for good: ${hopelessCode}`);
  } else if (isCurrent && record.failures + 1 >= mostFailures) {
    await ports.rounds.setTaskState(task, ['running'], 'suspended', `${mostFailures} rounds failed, last: ${error}`);
  }
  await ports.rounds.nextAttempt(round, 'failed');
  await startRoundIfReady(ports, task, { unsettled });
}

/** A manifest that cannot be read must not keep its round from being released. */
async function readableManifest(models: ModelStore, key: string): Promise<Manifest | undefined> {
  try {
    return await readManifest(models, key);
  } catch (error) {
    if (error instanceof FlError && error.code === 'manifest-malformed') return undefined;
    throw error;
  }
}
