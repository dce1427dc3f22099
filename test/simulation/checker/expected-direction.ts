import { expectedVerdict } from './expected-verdict.ts';
import { discount, expectedShares } from './expected-weights.ts';
import type { ConfigItem, ManifestItem } from './manifest.ts';

/** Each client's latest update. */
export type LatestUpdates = ReadonlyMap<string, readonly number[]>;

interface Round {
  readonly config: ConfigItem;
  readonly version: number;
  readonly members: ManifestItem['updates'];
  readonly vectors: readonly (readonly number[])[];
  readonly base: readonly number[];
  /** What a method that keeps every client's latest update had kept. */
  readonly before: LatestUpdates;
  readonly modelOf: (version: number) => readonly number[];
  readonly target: number;
}

interface Direction {
  readonly direction: readonly number[];
  /** What the manifest should give each update; examples times staleness if absent. */
  readonly weights?: readonly number[];
  readonly rejected: readonly number[];
  readonly latest?: LatestUpdates;
  readonly isTie: boolean;
}

/** The direction that a round's method or rule defines, in float64, from the papers' formulas. */
export function expectedDirection(round: Round): Direction {
  const { config, members, vectors, base, target } = round;
  const plain = { rejected: [], isTie: false };
  const { kind, mixing = 0 } = config.method;
  if (kind === 'fedasync') {
    const [{ staleness }] = members;
    const old = round.modelOf(round.version - 1 - staleness);
    const rate = mixing * discount(config.staleness, staleness);
    return { ...plain, weights: [1], direction: base.map((x, i) => rate * (vectors[0][i] + old[i] - x)) };
  }
  if (kind === 'ca2fl' || kind === 'ace') return { ...plain, ...fromLatest(kind, round) };
  const shares = expectedShares(members, config);
  const [rule] = config.aggregation.rules;
  if (!rule) return { ...plain, direction: mean(vectors, shares) };
  const { weights, rejected, isTie, direction } = expectedVerdict(rule, vectors, shares, base, target);
  return { rejected, isTie, direction: direction ?? mean(vectors, weights ?? []) };
}

/** CA2FL (ICLR 2024, algorithm 1) and ACE (arXiv:2511.19066): means over all clients' latest updates. */
function fromLatest(kind: 'ca2fl' | 'ace', { members, vectors, before, base }: Round) {
  const latest = new Map(before);
  const current = new Map<string, { index: number; vector: readonly number[] }>();
  // Of a client's updates in a round, the one that arrived last.
  const arrivals = [...members.entries()].sort(([, a], [, b]) => (a.sequence < b.sequence ? -1 : 1));
  for (const [index, { client }] of arrivals) current.set(client, { index, vector: vectors[index] });
  for (const [client, { vector }] of current) latest.set(client, vector);
  const weights = members.map(({ client }, i) => (current.get(client)?.index === i ? 1 / current.size : 0));
  const meanOf = (updates: LatestUpdates, count: number) =>
    base.map((_, i) => [...updates.values()].reduce((sum, vector) => sum + vector[i], 0) / count);
  if (kind === 'ace') return { weights, latest, direction: meanOf(latest, latest.size) };
  const kept = meanOf(before, latest.size);
  const moved = base.map((_, i) =>
    [...current].reduce((sum, [client, { vector }]) => sum + vector[i] - (before.get(client)?.[i] ?? 0), 0),
  );
  return { weights, latest, direction: kept.map((value, i) => value + moved[i] / current.size) };
}

const mean = (vectors: readonly (readonly number[])[], weights: readonly number[]) =>
  vectors[0].map((_, i) => vectors.reduce((sum, vector, v) => sum + weights[v] * vector[i], 0));
