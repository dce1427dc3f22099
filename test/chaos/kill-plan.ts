import { randomFrom } from '../../shared/core/random.ts';

/** Functions that work in every round of a plain task, or for every client. */
export const victims = [
  'issue-ticket',
  'open-upload',
  'admit-update',
  'freeze',
  'aggregate',
  'publish',
  'evaluate',
  'settle',
] as const;
export type Victim = (typeof victims)[number];

/** One kill: due as soon as the task has reached a version. */
export type Kill = { readonly version: number } & (
  | { readonly kind: 'function'; readonly victim: Victim; readonly afterMs: number }
  | {
      readonly kind: 'cloud';
      /** Milliseconds after the version was seen. */
      readonly afterMs: number;
      /** The next life ends too, so long after its start. */
      readonly againAfterMs?: number;
    }
);

export interface KillRates {
  readonly rounds: number;
  /** Kills of functions for each round. */
  readonly functionsPerRound: number;
  /** Kills of the cloud in all. */
  readonly clouds: number;
}

/** What is killed when: a function of the seed. In what state it is then, real time decides. */
export function killPlan(seed: number, { rounds, functionsPerRound, clouds }: KillRates): readonly Kill[] {
  const random = randomFrom(seed).fork('kills');
  const kills: Kill[] = [];
  const functions = Math.round(rounds * functionsPerRound);
  for (let i = 0; i < functions; i++) {
    const version = Math.floor((i * rounds) / functions);
    // Squared: half of them strike within the first quarter of the time, where short functions still run.
    const afterMs = Math.floor(200 * random.next() ** 2);
    kills.push({ kind: 'function', version, victim: victims[random.below(victims.length)], afterMs });
  }
  for (let i = 0; i < clouds; i++) {
    const version = Math.floor(((i + random.next()) * rounds) / clouds);
    const afterMs = Math.floor(2_000 * random.next());
    const again = random.next() < 0.25 ? { againAfterMs: Math.floor(1_500 * random.next()) } : {};
    kills.push({ kind: 'cloud', version, afterMs, ...again });
  }
  return kills.sort((a, b) => a.version - b.version);
}
