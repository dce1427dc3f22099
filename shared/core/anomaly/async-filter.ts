import { byUpdate, type Rejection, type Rule } from '../aggregator/cohort.ts';
import { measured, singleUpdates } from './single-updates.ts';
import { dot, forState, plus } from './sketches.ts';
import { threeMeans } from './three-means.ts';

export interface AsyncFilterConfig {
  /** Base versions whose mean is kept: the task's largest staleness + 1. */
  readonly versions: number;
  /**
   * Reject a group's outer cluster only if its mean distance is more than this many times the inner one's. 1 is the paper's
   * filter, which rejects some update of every group in every round, attack or not.
   */
  readonly separation: number;
  /** The same of the middle cluster, which falls with the outer one only: attackers of two sizes are in both. */
  readonly middleSeparation: number;
}

/** Element s: the updates accepted so far that started from the version which is s versions old in the next round. */
export interface AsyncFilterState {
  readonly means: readonly { readonly sketch: readonly number[]; readonly updates: number }[];
}

/**
 * AsyncFilter: updates from one base version are alike, so they form a group, whose mean moves on as the stale ones come in;
 * the distances to it, as parts of their sum, fall into three clusters, and the farthest is rejected. Y. Kang, B. Li,
 * "AsyncFilter: Detecting Poisoning Attacks in Asynchronous Federated Learning", Middleware 2024, after the authors' program
 * (TL-System/plato, examples/detector), which takes the middle cluster. It differs: distances are those of sketches (of one
 * projection in all versions), rejected updates do not enter the means, the clusters are exact, and `separation` and
 * `middleSeparation` decide: a cluster is rejected for being far from the inner one, not for being the farthest of three.
 * Groups under three pass.
 */
export const asyncFilter: Rule<AsyncFilterConfig, AsyncFilterState> = {
  kind: 'async-filter',
  needs: () => ['sketches'],
  leastUpdates: () => 1,
  init: () => ({ means: [] }),
  apply(config, state, cohort, context) {
    const sketches = measured(context.sketches, 'sketches');
    const updates = singleUpdates(cohort, context.members.length);
    const groups = Map.groupBy(updates.keys(), (r) => context.members[updates[r]].staleness);
    const scores = new Array<number>(updates.length).fill(0);
    const keep = new Array<boolean>(updates.length).fill(true);
    const means = new Map(state.means.map((mean, staleness) => [staleness, mean]));

    for (const [staleness, rows] of groups) {
      const points = rows.map((r) => sketches[updates[r]]);
      const before = means.get(staleness);
      const known = before && before.sketch.length === points[0].length ? before : none(points[0].length);
      const distances = distancesTo(including(known, points).sketch, points);
      const sum = distances.reduce((total, distance) => total + distance, 0);
      rows.forEach((r, i) => {
        scores[r] = sum > 0 ? distances[i] / sum : 0;
      });
      for (const i of farFromInner(distances, config)) keep[rows[i]] = false;
      means.set(
        staleness,
        including(
          known,
          points.filter((_, i) => keep[rows[i]]),
        ),
      );
    }
    const length = sketches[0]?.length ?? 0;
    return {
      cohort,
      rejected: updates.flatMap((update, r): Rejection[] =>
        keep[r] ? [] : [{ update, why: `async-filter: ${farFrom(scores[r], context.members[update].staleness)}` }],
      ),
      scores: { 'async-filter': byUpdate(cohort, scores, context.members.length) },
      state: {
        means: Array.from({ length: config.versions }, (_, s) => means.get(s - 1) ?? none(length)).map((mean) => ({
          updates: mean.updates,
          sketch: forState(mean.sketch),
        })),
      },
    };
  },
};

interface GroupMean {
  readonly sketch: readonly number[];
  readonly updates: number;
}

function none(length: number): GroupMean {
  return { sketch: new Array<number>(length).fill(0), updates: 0 };
}

function including(mean: GroupMean, points: readonly Float64Array[]): GroupMean {
  const updates = mean.updates + points.length;
  if (points.length === 0) return mean;
  const sum = points.reduce<number[]>(
    (total, point) => plus(total, point),
    mean.sketch.map((v) => v * mean.updates),
  );
  return { sketch: sum.map((value) => value / updates), updates };
}

function distancesTo(centre: readonly number[], points: readonly Float64Array[]): number[] {
  return points.map((point) => {
    const difference = plus(point, centre, -1);
    return Math.sqrt(dot(difference, difference));
  });
}

/** The positions of the clusters that are too far out; none if not even the outer one is. */
function farFromInner(distances: readonly number[], { separation, middleSeparation }: AsyncFilterConfig): number[] {
  if (distances.length < 3) return [];
  const clusters = threeMeans(distances);
  const mean = (cluster: number): number => {
    const inside = distances.filter((_, i) => clusters[i] === cluster);
    return inside.reduce((sum, distance) => sum + distance, 0) / inside.length;
  };
  const inner = mean(0);
  if (!(mean(2) > separation * inner)) return [];
  const first = mean(1) > middleSeparation * inner ? 1 : 2;
  return clusters.flatMap((cluster, i) => (cluster >= first ? [i] : []));
}

function farFrom(part: number, staleness: number): string {
  return `${(100 * part).toFixed(1)}% of the distance from the mean of its group (staleness ${staleness})`;
}
