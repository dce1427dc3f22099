import type { Params } from '../../shared/core/params.ts';
import type { Random } from '../../shared/core/random.ts';
import type { ClientArtifact, Metrics, OptionalClientArtifact, TicketState } from '../../shared/wire/api.ts';
import type { TrainingPlan } from '../../shared/wire/task-config.ts';
import type { Permission, Step } from './schedule.ts';

/** The ONNX files that a task's clients train with and, where the task has one, how they make examples of tables. */
export type TrainingPackage = Readonly<
  Record<ClientArtifact, Uint8Array> & Partial<Record<OptionalClientArtifact, Uint8Array>>
>;

export interface TrainInput {
  /** The version to start from. The callee must not write to it: the update is what comes back minus this. */
  readonly params: Params;
  readonly baseVersion: number;
  readonly plan: TrainingPlan;
  readonly package: TrainingPackage;
  /** This client's own stream for this ticket, from the plan's seed. */
  readonly random: Random;
  readonly signal: AbortSignal | undefined;
}

export interface Trained {
  /** Flat, shape `[layout.size]`, in the layout of the input. */
  readonly params: Float32Array;
  /** Examples trained on: the update's weight. */
  readonly examples: number;
  readonly metrics?: Metrics;
}

/** Trains on this client's own data; `undefined` gives the ticket up. */
export type Train = (input: TrainInput) => Promise<Trained | undefined>;

/** Measures the model as it came, on this client's own data, before it is trained. */
export type Evaluate = (input: Pick<TrainInput, 'params' | 'baseVersion' | 'package' | 'signal'>) => Promise<Metrics>;

/** What happens while a client takes part, in order. `waiting` has the server's code, or `schedule`. */
export type ParticipationEvent =
  | { readonly kind: 'waiting'; readonly ms: number; readonly code: string; readonly reason: string }
  | { readonly kind: 'ticket'; readonly ticket: string; readonly baseVersion: number; readonly expiresAtMs: number }
  | { readonly kind: 'resumed'; readonly ticket: string; readonly baseVersion: number }
  | { readonly kind: 'downloaded'; readonly baseVersion: number; readonly bytes: number }
  /** The update could not be kept on the disk: it is uploaded all the same, and a crash before that would lose it. */
  | { readonly kind: 'unsaved'; readonly ticket: string; readonly reason: string }
  | { readonly kind: 'trained'; readonly ticket: string; readonly examples: number; readonly metrics: Metrics }
  | { readonly kind: 'uploaded'; readonly ticket: string; readonly baseVersion: number; readonly bytes: number }
  | { readonly kind: 'abandoned'; readonly ticket: string; readonly reason: string }
  | {
      readonly kind: 'outcome';
      readonly ticket: string;
      readonly state: TicketState;
      readonly version?: number;
      readonly reason?: string;
    };

export interface ParticipateOptions {
  readonly train: Train;
  readonly evaluate?: Evaluate;
  readonly signal?: AbortSignal;
  /** Ends after this many uploaded updates; without it, when the task ends. */
  readonly maxUpdates?: number;
  /** After each upload, waits until the update is aggregated, quarantined or expired. Off by default. */
  readonly awaitOutcome?: boolean;
  /**
   * Asked before each ticket, while it trains, and before each upload; see `schedule` in schedule.ts. Where the answer is no it waits, from
   * 10 seconds up to 10 minutes at a time. A training under way is aborted and its ticket given up; a trained update waits on the disk.
   */
  readonly schedule?: (step: Step) => Promise<Permission>;
  readonly onEvent?: (event: ParticipationEvent) => void;
}

export interface ParticipationSummary {
  readonly task: string;
  /** Updates that this call stored. */
  readonly updates: number;
  /** Examples that these updates were trained on, counted again for each. */
  readonly examples: number;
  readonly reason: 'task-ended' | 'max-updates' | 'aborted';
}
