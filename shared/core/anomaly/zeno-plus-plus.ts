import { byUpdate, type Rejection, type Rule } from '../aggregator/cohort.ts';
import { scaleRows } from '../aggregator/mix.ts';
import { measured, singleUpdates, updateNorms } from './single-updates.ts';

export interface ZenoPlusPlusConfig {
  /** What a squared unit of update length costs. */
  readonly rho: number;
  /** How far below 0 a score may be, in units of the squared length of the root update. */
  readonly epsilon: number;
}

/**
 * Zeno++, arXiv:1903.07020: each update is brought to the length of the server's own, `root`, and rejected if
 * `<root, update> - rho ||update||^2 < -epsilon ||root||^2`. The root update, made from the server's data set, stands in for the
 * paper's validation gradient, so that the paper's learning rate is in it, and epsilon is relative: an update passes whose cosine
 * with the root update is at least rho - epsilon. Above 0, epsilon lets clients pass whose data are unlike the server's. Zero
 * updates are rejected: they have no direction.
 */
export const zenoPlusPlus: Rule<ZenoPlusPlusConfig> = {
  kind: 'zeno-plus-plus',
  needs: () => ['root', 'norms'],
  leastUpdates: () => 1,
  init: () => null,
  apply({ rho, epsilon }, state, cohort, context) {
    const { squaredNorm, products } = measured(context.root, 'root');
    const updates = singleUpdates(cohort, context.members.length);
    const norms = updateNorms(cohort);
    const lengthening = norms.map((norm) => (norm > 0 ? Math.sqrt(squaredNorm) / norm : 0));
    const scores = updates.map((update, r) => lengthening[r] * products[update] - rho * squaredNorm);
    const keep = scores.map((score, r) => norms[r] > 0 && score >= -epsilon * squaredNorm);
    const factors = cohort.rows.map(({ terms }, r) => (norms[r] > 0 ? lengthening[r] / [...terms.values()][0] : 1));
    const least = (-epsilon * squaredNorm).toPrecision(4);
    return {
      state,
      cohort: scaleRows(cohort, factors),
      rejected: updates.flatMap((update, r): Rejection[] =>
        keep[r]
          ? []
          : [{ update, why: `zeno-plus-plus: score ${scores[r].toPrecision(4)}, expected at least ${least}` }],
      ),
      scores: { 'zeno-plus-plus': byUpdate(cohort, scores, context.members.length) },
    };
  },
};
