import type { Staleness } from '../staleness/staleness.ts';

/** One update of a round. */
export interface AsyncMember {
  readonly client: string;
  readonly staleness: number;
  /** Place in the order of arrival. */
  readonly arrival: number;
  /** >= 0; all together sum to one: examples times staleness, say. */
  readonly weight: number;
}

/** What a method may look at. */
export interface AsyncRound {
  /** The version that the round starts from. */
  readonly version: number;
  /** The updates, `[K]`, in the order in which the manifest has them. */
  readonly members: readonly AsyncMember[];
  /** Client -> the version that its cached update went into, `version` or earlier. */
  readonly cached: ReadonlyMap<string, number>;
  /** How many clients the federation has, where that is known; those seen so far if absent. */
  readonly clients?: number;
  readonly stalenessRule: Staleness;
}

/** A vector that enters a round's sum although it is no update of the round. */
export type ReferenceTerm =
  | { readonly kind: 'cached'; readonly client: string; readonly weight: number }
  | { readonly kind: 'model'; readonly version: number; readonly weight: number };

/** `state` times the state vector plus `sum` times the round's sum. */
export interface Combination {
  readonly state: number;
  readonly sum: number;
}

/**
 * A round of an asynchronous method, as numbers: the round's sum is `sum_i weights_i update_i + sum_r weight_r reference_r`;
 * the server optimizer's delta is `stepScale` times the sum or, where there is a calibration, times `direction`.
 */
export interface AsyncPlan {
  /** `[K]`, >= 0, sum to one. 0: a later update of the same client in the round takes its place. */
  readonly weights: readonly number[];
  readonly references: readonly ReferenceTerm[];
  /** In (0, 1]. */
  readonly stepScale: number;
  /** Whether each client's latest update has to be kept for later rounds. */
  readonly keepsCache: boolean;
  /** One state vector laid out like the model, zero before the first round; `next` is its next value. */
  readonly calibration?: { readonly direction: Combination; readonly next: Combination };
}
