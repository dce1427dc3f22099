import type { TaskRecord } from '../ports/round-store.ts';
import type { Evaluation, SettleInput } from '../wire/workflow.ts';
import { consumePublished } from './consume.ts';
import { expireTickets } from './expire-tickets.ts';
import type { Ports } from './ports.ts';
import { requireTask } from './require-task.ts';
import { completeTask, startRoundIfReady } from './start-round.ts';

type SettlePorts = Pick<Ports, 'rounds' | 'models' | 'updates' | 'queue' | 'starter' | 'gauge' | 'clock' | 'telemetry'>;

/**
 * Ends a round: records the evaluation, takes the aggregated updates out of the buffer, ends the task if it has reached
 * its goal, else starts the next round if the buffer is full. Repeatable.
 */
export async function settle(ports: SettlePorts, { task, version, evaluation }: SettleInput): Promise<void> {
  const { rounds } = ports;
  if (evaluation) await rounds.setEvaluation(task, version, evaluation);
  const record = await requireTask(ports, task);
  await consumePublished(ports, record);
  await expireTickets(ports, record);
  await report(ports, record, version, evaluation);
  const ended = goalReached(record, version, evaluation);
  if (record.failures > 0) await rounds.clearFailures(task);
  if (ended) await completeTask(ports, record, ended);
  else await startRoundIfReady(ports, task);
}

/** Why the task is done, or undefined if it goes on. */
function goalReached({ config }: TaskRecord, version: number, evaluation: Evaluation | null): string | undefined {
  const { targetAccuracy } = config.stop;
  if (targetAccuracy !== undefined && evaluation && evaluation.accuracy >= targetAccuracy) {
    return `reached accuracy ${evaluation.accuracy.toFixed(4)} of ${targetAccuracy} at version ${version}`;
  }
  return undefined;
}

async function report(
  { rounds, telemetry, clock }: SettlePorts,
  { task, createdAtMs }: TaskRecord,
  version: number,
  evaluation: Evaluation | null,
): Promise<void> {
  const [published, previous, counts] = await Promise.all([
    rounds.version(task, version),
    rounds.version(task, version - 1),
    rounds.counts(task),
  ]);
  if (!published) return;
  telemetry.record(task, {
    Version: version,
    UpdatesAggregated: published.updates,
    ...stalenessSummary(published.staleness),
    RoundSeconds: (published.publishedAtMs - (previous?.publishedAtMs ?? createdAtMs)) / 1000,
    SettleSeconds: (clock.now() - published.publishedAtMs) / 1000,
    OpenTickets: counts.open,
    Buffered: counts.admitted - published.aggregatedTotal,
    ...(evaluation && { Accuracy: evaluation.accuracy, Loss: evaluation.loss }),
  });
}

function stalenessSummary(histogram: Readonly<Record<string, number>>) {
  const pairs = Object.entries(histogram).map(([staleness, count]) => [Number(staleness), count] as const);
  const total = pairs.reduce((sum, [, count]) => sum + count, 0);
  const mean = pairs.reduce((sum, [staleness, count]) => sum + staleness * count, 0) / Math.max(total, 1);
  return { StalenessMean: mean, StalenessMax: Math.max(0, ...pairs.map(([staleness]) => staleness)) };
}
