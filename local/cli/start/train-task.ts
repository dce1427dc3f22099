import type { TrainInput } from '../../../client/typescript/participation.ts';
import type { Random } from '../../../shared/core/random.ts';
import type { TaskResponse } from '../../../shared/wire/api.ts';
import { createFleet, type FleetEvent, type FleetReport } from '../../fleet/fleet.ts';
import type { FleetTraits } from '../../fleet/profile.ts';
import { realClock } from '../../fleet/real-clock.ts';
import type { TrainerPool } from '../../fleet/trainer-pool.ts';
import { virtualClock } from '../../fleet/virtual-clock.ts';
import { requireNoDenial } from './denied.ts';
import type { OwnCloud } from './local-cloud.ts';
import { runUsd } from './outcome.ts';
import type { RunView } from './view.ts';
import { watchTask } from './watch.ts';

/** What a fleet needs to train a task that runs. */
export interface Training {
  readonly task: string;
  readonly own: OwnCloud;
  readonly pool: TrainerPool;
  /** Training examples of each client, by name. */
  readonly clients: ReadonlyMap<string, number>;
  readonly traits: FleetTraits;
  readonly concurrency: number;
  readonly random: Random;
  readonly deterministic: boolean;
  readonly view: RunView;
  readonly changed: () => void;
  readonly signal: AbortSignal;
}

/** Runs the fleet until the task has ended, and waits until everything that is under way has settled. */
export async function trainTask(training: Training): Promise<{ state: TaskResponse; report: FleetReport }> {
  const { task, own, clients, deterministic, view, signal } = training;
  const stop = new AbortController();
  const fleet = createFleet({
    endpoint: own.endpoint,
    task,
    clients: [...clients.keys()],
    traits: training.traits,
    concurrency: training.concurrency,
    random: training.random,
    clock: deterministic ? virtualClock(own.cloud.idle) : realClock,
    dropOutsLeave: deterministic ? 'before-ticket' : 'with-ticket',
    // On virtual time a repeated request would be an event of its own.
    retry: deterministic ? { attempts: 1 } : undefined,
    train: (client, input) => trainInPool(training, client, input),
    signal: AbortSignal.any([signal, stop.signal]),
    onEvent: (event) => follow(view.training, event),
  });
  view.traffic = fleet.traffic;
  const watching = watchTask(
    own.api,
    task,
    (state, versions) => {
      requireNoDenial(own.cloud);
      view.state = state;
      view.versions = versions;
      view.usd = runUsd(own.cloud.usage(), fleet.traffic);
      training.changed();
    },
    AbortSignal.any([signal, stop.signal]),
  );
  const running = fleet.run();
  // Who still trains when the task ends trains for nothing. On virtual time it costs nothing to let them find out.
  const ended = watching.then(() => deterministic || stop.abort(new Error('the task has ended')));
  try {
    const [report] = await Promise.all([running, ended]);
    view.training.clear();
    await own.cloud.idle();
    return { state: await own.api.task(task, signal), report };
  } catch (error) {
    stop.abort(error);
    await Promise.allSettled([running, watching]);
    throw error;
  }
}

async function trainInPool({ pool, clients }: Training, client: string, input: TrainInput) {
  const seed = `${input.random.below(2 ** 32)}/${input.random.below(2 ** 32)}`;
  const { params, plan, package: files } = input;
  const trained = await pool.train({ samples: trainSamples(client), package: files, params, plan, seed });
  return { params: trained.params, examples: clients.get(client) ?? 0, metrics: { trainLoss: trained.loss } };
}

/** The pool's name for the examples that a client trains on. */
export const trainSamples = (client: string) => `${client}/train`;
/** The pool's name for the examples that a client measures on. */
export const testSamples = (client: string) => `${client}/test`;

function follow(training: Set<string>, { kind, client }: FleetEvent): void {
  if (kind === 'ticket') training.add(client);
  if (kind === 'uploaded' || kind === 'abandoned' || kind === 'dropped-out' || kind === 'failed')
    training.delete(client);
}
