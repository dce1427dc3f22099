import type { TrainingPackage } from '../../../client/typescript/participation.ts';
import type { Params } from '../../../shared/core/params.ts';
import type { Federation } from '../../data/federation.ts';
import type { FleetReport } from '../../fleet/fleet.ts';
import type { TrainerPool } from '../../fleet/trainer-pool.ts';
import { type ClientOutcome, clientOutcome } from './outcome.ts';
import { testSamples } from './train-task.ts';

/** The model on each client's own test examples, in the federation's order. */
export async function measureClients(
  pool: TrainerPool,
  files: TrainingPackage,
  params: Params,
  { clients }: Federation,
  report: FleetReport,
): Promise<ClientOutcome[]> {
  const activities = new Map(report.clients.map((activity) => [activity.client, activity]));
  const outcomes: ClientOutcome[] = [];
  for (const { id, train, test } of clients) {
    const activity = activities.get(id);
    if (!activity) continue;
    const measured = test.n > 0 ? await pool.evaluate({ samples: testSamples(id), package: files, params }) : undefined;
    outcomes.push(clientOutcome(activity, train, measured));
  }
  return outcomes;
}
