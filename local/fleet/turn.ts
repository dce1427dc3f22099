import type { TributaryClient } from '../../client/typescript/client.ts';
import type { ParticipationEvent, Trained, TrainInput } from '../../client/typescript/participation.ts';
import { FlError } from '../../shared/core/errors.ts';
import type { Random } from '../../shared/core/random.ts';
import type { FleetClock } from './clock.ts';
import type { ClientActivity, FleetEvent, FleetOptions } from './fleet-options.ts';
import type { ClientProfile } from './profile.ts';

/** A client in the fleet, and from when on it can be asked again. */
export interface Member {
  readonly activity: ClientActivity;
  readonly client: TributaryClient;
  readonly random: Random;
  availableAtMs: number;
  busy: boolean;
}

/** What the slots share. */
export interface Shared {
  ended: boolean;
  /** True while one of the slots asks for a ticket: a full task is asked by one client at a time, not by all. */
  asking: boolean;
  /** The task has all the clients it wants until then. */
  fullUntilMs: number;
  /** Clients that the federation still knows. */
  members: number;
  readonly picker: Random;
}

/** How often a slot looks again while there is nothing for it to do. */
export const idleMs = 50;
/** A device rests after an update, until the server has taken it in. */
const restMs = 500;

/** One client's turn: from its question for a ticket until its update is stored, or it drops out, or it is sent away. */
export class Turn {
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
      if (!(error instanceof FlError) || !this.#isForgivable(error)) throw error;
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

  /** One device's diverged training or lost ticket is its own affair; a refusal by the API concerns the whole run. */
  #isForgivable({ code, retry }: FlError): boolean {
    if (code === 'identity-refused') {
      // Its operator has revoked it: the others go on.
      this.#member.availableAtMs = Number.POSITIVE_INFINITY;
      this.#shared.members--;
      return this.#shared.members > 0;
    }
    return retry === 'now' || code === 'update-not-finite' || code.startsWith('ticket-');
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

/** Exponential around the device's mean. */
function networkDelay({ networkMs }: ClientProfile, random: Random): number {
  return -networkMs * Math.log(1 - random.next());
}

/** Sleeps, and wakes without a word when the signal aborts. */
export async function sleepQuietly(clock: FleetClock, ms: number, signal?: AbortSignal): Promise<void> {
  try {
    await clock.sleep(ms, signal);
  } catch (error) {
    if (!signal?.aborted) throw error;
  }
}
