import { TributaryClient } from '../../client/typescript/client.ts';
import type { ParticipationEvent, Trained, TrainInput } from '../../client/typescript/participation.ts';
import type { RetryPolicy } from '../../client/typescript/retry.ts';
import { fetchTransport, type Transport } from '../../client/typescript/transport.ts';
import { FlError } from '../../shared/core/errors.ts';
import type { Random } from '../../shared/core/random.ts';
import type { FleetClock } from './clock.ts';
import { type ClientProfile, drawProfile, type FleetTraits } from './profile.ts';
import { countingTransport, type Traffic } from './traffic.ts';

/** What the fleet tells about its clients. */
export type FleetEvent = { readonly client: string } & (
  | ParticipationEvent
  | { readonly kind: 'training' }
  | { readonly kind: 'dropped-out' }
  | { readonly kind: 'failed'; readonly error: FlError }
);

export interface FleetOptions {
  readonly endpoint: string;
  readonly task: string;
  /** Names of the clients; each has its data where `train` finds it. */
  readonly clients: readonly string[];
  readonly traits: FleetTraits;
  /** Clients at work at the same time. */
  readonly concurrency: number;
  readonly random: Random;
  readonly clock: FleetClock;
  /**
   * When a device that drops out leaves: with its ticket, which then has to expire, as devices do; or before it asks for
   * one, for virtual time, in which no real ticket expires.
   */
  readonly dropOutsLeave: 'with-ticket' | 'before-ticket';
  readonly train: (client: string, input: TrainInput) => Promise<Trained>;
  readonly transport?: Transport;
  readonly retry?: Partial<RetryPolicy>;
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: FleetEvent) => void;
}

/** What one client did. */
export interface ClientActivity {
  readonly client: string;
  readonly profile: ClientProfile;
  tickets: number;
  updates: number;
  dropOuts: number;
}

export interface FleetReport {
  readonly clients: readonly ClientActivity[];
  readonly traffic: Traffic;
}

/** A client in the fleet, and from when on it can be asked again. */
interface Member {
  readonly activity: ClientActivity;
  readonly client: TributaryClient;
  readonly random: Random;
  availableAtMs: number;
  busy: boolean;
}

/** How often a slot looks again while there is nothing for it to do. */
const idleMs = 50;
/** A device rests after an update, until the server has taken it in. */
const restMs = 500;

/** A fleet that takes part in a task over HTTP until the task ends; `traffic` and `activities` can be read meanwhile. */
export function createFleet(options: FleetOptions): {
  readonly activities: readonly ClientActivity[];
  readonly traffic: Traffic;
  run(): Promise<FleetReport>;
} {
  const traffic: Traffic = { down: 0, up: 0 };
  const transport = countingTransport(options.transport ?? fetchTransport, traffic);
  const members = options.clients.map((name) => joinFleet(options, name, transport));
  const activities = members.map(({ activity }) => activity);
  const run = async () => {
    const state: Shared = { ended: false, asking: false, fullUntilMs: 0, picker: options.random.fork('picker') };
    const slots = Math.min(options.concurrency, members.length);
    await options.clock.run(Array.from({ length: slots }, () => () => occupySlot(options, members, state)));
    return { clients: activities, traffic };
  };
  return { activities, traffic, run };
}

/** What the slots share. */
interface Shared {
  ended: boolean;
  /** True while one of the slots asks for a ticket: a full task is asked by one client at a time, not by all. */
  asking: boolean;
  /** The task has all the clients it wants until then. */
  fullUntilMs: number;
  readonly picker: Random;
}

function joinFleet(
  { endpoint, traits, random, clock, retry }: FleetOptions,
  name: string,
  transport: Transport,
): Member {
  const own = random.fork(`client/${name}`);
  const surroundings = { now: clock.now, sleep: clock.sleep, random: () => own.next() };
  return {
    activity: { client: name, profile: drawProfile(traits, random, name), tickets: 0, updates: 0, dropOuts: 0 },
    client: new TributaryClient({ endpoint, identity: { client: name }, transport, retry, surroundings }),
    random: own,
    availableAtMs: 0,
    busy: false,
  };
}

/** Sends one client after the other, each picked by chance among those that are free, until the task ends. */
async function occupySlot(options: FleetOptions, members: readonly Member[], shared: Shared): Promise<void> {
  const { clock, signal } = options;
  while (!shared.ended && !signal?.aborted) {
    const nowMs = clock.now();
    const free = members.filter(({ busy, availableAtMs }) => !busy && availableAtMs <= nowMs);
    if (shared.asking || shared.fullUntilMs > nowMs || free.length === 0) {
      await sleepQuietly(clock, idleMs, signal);
      continue;
    }
    const member = free[shared.picker.below(free.length)];
    member.busy = true;
    shared.asking = true;
    const turn = new Turn(options, member, shared);
    await turn.take();
    member.busy = false;
  }
}

/** One client's turn: from its question for a ticket until its update is stored, or it drops out, or it is sent away. */
class Turn {
  readonly #options: FleetOptions;
  readonly #member: Member;
  readonly #shared: Shared;
  readonly #dropsOut: boolean;
  /** Ends this turn only, so that the slot is free for another client. */
  readonly #over = new AbortController();
  #asking = true;

  constructor(options: FleetOptions, member: Member, shared: Shared) {
    this.#options = options;
    this.#member = member;
    this.#shared = shared;
    this.#dropsOut = member.random.next() < member.activity.profile.dropOuts;
  }

  async take(): Promise<void> {
    const { task, clock, signal, dropOutsLeave } = this.#options;
    const { client, activity } = this.#member;
    const signals = signal ? [signal, this.#over.signal] : [this.#over.signal];
    try {
      if (this.#dropsOut && dropOutsLeave === 'before-ticket') {
        this.#answered();
        this.#dropOut();
        await clock.sleep(activity.profile.trainMs, signal);
        return;
      }
      const { reason } = await client.participate(task, {
        maxUpdates: 1,
        signal: AbortSignal.any(signals),
        train: (input) => this.#train(input),
        onEvent: (event) => this.#follow(event),
      });
      if (reason === 'task-ended') this.#shared.ended = true;
    } catch (error) {
      if (signal?.aborted) return;
      if (!(error instanceof FlError) || !isForgivable(error)) throw error;
      this.#tell({ kind: 'failed', error });
      await sleepQuietly(clock, 10 * idleMs, signal);
    } finally {
      this.#answered();
    }
  }

  async #train(input: TrainInput): Promise<Trained | undefined> {
    const { clock, signal, train } = this.#options;
    const { activity, random } = this.#member;
    const { profile } = activity;
    await clock.sleep(networkDelay(profile, random), signal);
    this.#tell({ kind: 'training' });
    const startedAt = clock.now();
    if (this.#dropsOut) {
      await clock.sleep(profile.trainMs * random.next(), signal);
      this.#dropOut();
      this.#over.abort(new Error('dropped out'));
      return undefined;
    }
    const trained = await train(activity.client, input);
    const leftMs = profile.trainMs - (clock.now() - startedAt);
    await clock.sleep(Math.max(0, leftMs) + networkDelay(profile, random), signal);
    return trained;
  }

  #follow(event: ParticipationEvent): void {
    const member = this.#member;
    const nowMs = this.#options.clock.now();
    if (event.kind === 'waiting') {
      // Sent away: the client that waits may be another one, unless the reason is this client's own.
      if (event.code === 'client-busy') member.availableAtMs = nowMs + event.ms;
      else this.#shared.fullUntilMs = nowMs + event.ms;
      this.#over.abort(new Error('sent away'));
    }
    if (event.kind === 'ticket') {
      member.activity.tickets++;
      this.#answered();
      // Nobody can have a second ticket while the first one is open.
      if (this.#dropsOut) member.availableAtMs = event.expiresAtMs + idleMs;
    }
    if (event.kind === 'uploaded') {
      member.activity.updates++;
      member.availableAtMs = nowMs + restMs;
    }
    this.#tell(event);
  }

  #dropOut(): void {
    this.#member.activity.dropOuts++;
    this.#tell({ kind: 'dropped-out' });
  }

  #answered(): void {
    if (this.#asking) this.#shared.asking = false;
    this.#asking = false;
  }

  #tell(event: DistributiveOmit<FleetEvent, 'client'>): void {
    this.#options.onEvent?.({ ...event, client: this.#member.activity.client });
  }
}

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

/** One device's diverged training or lost ticket is its own affair; a refusal by the API concerns the whole run. */
function isForgivable({ code, retry }: FlError): boolean {
  return retry === 'now' || code === 'update-not-finite' || code.startsWith('ticket-');
}

/** Exponential around the device's mean. */
function networkDelay({ networkMs }: ClientProfile, random: Random): number {
  return -networkMs * Math.log(1 - random.next());
}

async function sleepQuietly(clock: FleetClock, ms: number, signal?: AbortSignal): Promise<void> {
  try {
    await clock.sleep(ms, signal);
  } catch (error) {
    if (!signal?.aborted) throw error;
  }
}
