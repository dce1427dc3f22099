import type { ParticipationEvent, Trained, TrainInput } from '../../client/typescript/participation.ts';
import type { RetryPolicy } from '../../client/typescript/retry.ts';
import type { Transport } from '../../client/typescript/transport.ts';
import type { FlError } from '../../shared/core/errors.ts';
import type { Random } from '../../shared/core/random.ts';
import type { ClientKey } from '../../shared/wire/identity/keys.ts';
import type { FleetClock } from './clock.ts';
import type { ClientProfile, FleetTraits } from './profile.ts';

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
  /** The clients, enrolled; each has its data where `train` finds it by name. */
  readonly clients: readonly ClientKey[];
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
