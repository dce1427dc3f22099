import type { TrainInput } from '../../../client/typescript/participation.ts';
import { fetchTransport, type Transport } from '../../../client/typescript/transport.ts';
import type { Random } from '../../../shared/core/random.ts';
import type { PrivacySpec } from '../../../shared/onnx/training/training-spec.ts';
import type { Metrics, TaskResponse } from '../../../shared/wire/api.ts';
import type { ClientKey } from '../../../shared/wire/identity/keys.ts';
import type { Coalition } from '../../attacks/coalition.ts';
import { createFleet, type FleetReport } from '../../fleet/fleet.ts';
import type { FleetEvent } from '../../fleet/fleet-options.ts';
import type { FleetTraits } from '../../fleet/profile.ts';
import { realClock } from '../../fleet/real-clock.ts';
import type { TrainerPool } from '../../fleet/trainer-pool.ts';
import { virtualClock } from '../../fleet/virtual-clock.ts';
import { requireNoDenial } from './denied.ts';
import type { OwnCloud } from './local-cloud.ts';
import { runUsd } from './outcome.ts';
import type { RunView } from './view.ts';
import { TaskWatcher } from './watch.ts';

/** What a fleet needs to train a task that runs. */
export interface Training {
  readonly task: string;
  readonly own: OwnCloud;
  readonly pool: TrainerPool;
  /** The clients' own, in order. */
  readonly keys: readonly ClientKey[];
  /** Training examples of each client, by name. */
  readonly clients: ReadonlyMap<string, number>;
  readonly traits: FleetTraits;
  readonly concurrency: number;
  /** Of a package that trains with DP-SGD: told in place of the loss, which is exact. */
  readonly privacy: PrivacySpec | undefined;
  /** Clients that lie, if some do. */
  readonly coalition: Coalition | undefined;
  readonly random: Random;
  readonly deterministic: boolean;
  readonly view: RunView;
  readonly changed: () => void;
  readonly signal: AbortSignal;
}

/** Runs the fleet until the task has ended, and waits until everything that is under way has settled. */
export async function trainTask(training: Training): Promise<{ state: TaskResponse; report: FleetReport }> {
  const { task, own, deterministic, view } = training;
  const stop = new AbortController();
  const signal = AbortSignal.any([training.signal, stop.signal]);
  const watcher = new TaskWatcher(own.api, task, (state, versions) => {
    requireNoDenial(own.cloud);
    view.state = state;
    view.versions = versions;
    view.usd = runUsd(own.cloud.usage(), view.traffic);
    training.changed();
  });
  const options = {
    endpoint: own.endpoint,
    task,
    clients: training.keys,
    traits: training.traits,
    concurrency: training.concurrency,
    random: training.random,
    train: (client: string, input: TrainInput) => trainInPool(training, client, input),
    signal,
    onEvent: (event: FleetEvent) => follow(view.training, event),
  };
  const fleet = createFleet({ ...options, ...(deterministic ? onVirtualTime(own, watcher, signal) : onRealTime) });
  view.traffic = fleet.traffic;
  const running = fleet.run();
  // On virtual time the watcher looks between two turns, and it costs nothing to let everyone find out that the task has
  // ended. On real time who still trains then trains for nothing.
  const ended = deterministic
    ? running
    : watcher.untilEnd(signal).then(() => stop.abort(new Error('the task has ended')));
  try {
    const [report] = await Promise.all([running, ended]);
    view.training.clear();
    await own.cloud.idle();
    return { state: await watcher.look(training.signal), report };
  } catch (error) {
    stop.abort(error);
    await Promise.allSettled([running, ended]);
    throw error;
  }
}

const onRealTime = { clock: realClock, dropOutsLeave: 'with-ticket' } as const;

/** One thing after the other: what a turn set off in the cloud has ended before the next turn begins. */
function onVirtualTime(own: OwnCloud, watcher: TaskWatcher, signal: AbortSignal) {
  let touched = false;
  const transport: Transport = (request) => {
    touched = true;
    return fetchTransport(request);
  };
  const settle = async () => {
    if (!touched) return;
    touched = false;
    await own.cloud.idle();
    await watcher.lookIfDue(signal);
  };
  // A request that is repeated after a pause would be an event of its own.
  return { clock: virtualClock(settle), transport, retry: { attempts: 1 }, dropOutsLeave: 'before-ticket' } as const;
}

async function trainInPool({ pool, clients, privacy, coalition }: Training, client: string, input: TrainInput) {
  const seed = `${input.random.below(2 ** 32)}/${input.random.below(2 ** 32)}`;
  const { params, plan, package: files } = input;
  const trained = await pool.train({ samples: trainSamples(client), package: files, params, plan, seed });
  const metrics: Metrics = privacy ? { ...privacy } : { trainLoss: trained.loss };
  return {
    params: attacked(coalition, client, params.values, trained.params),
    examples: clients.get(client) ?? 0,
    metrics,
  };
}

/** What the client says that it has trained. */
function attacked(
  coalition: Coalition | undefined,
  client: string,
  base: Float32Array,
  trained: Float32Array,
): Float32Array {
  if (!coalition?.members.has(client)) return trained;
  const update = coalition.updateOf(
    client,
    trained.map((value, i) => value - base[i]),
  );
  return update.map((value, i) => base[i] + value);
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
