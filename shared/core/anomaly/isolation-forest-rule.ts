import { type ForestConfig, IsolationForest } from './isolation-forest.ts';
import { type OutlierConfig, outlierRule } from './outlier-rule.ts';

export interface IsolationForestConfig extends OutlierConfig, ForestConfig {}

/**
 * Rejects updates that an isolation forest (Liu, Ting, Zhou, ICDM 2008), grown on those of late, isolates early. It sees
 * each feature's distance from its median, for few attackers on the far side of many honest updates are then at the one
 * end that counts. The paper's `subsample` is 256 of a large set; a window of as many updates of few clients is small, and
 * with a part of it the attackers in it hide each other less (the paper's section 2, masking).
 */
export const isolationForest = outlierRule<IsolationForestConfig>('isolation-forest', (config, points, random) => {
  const distances = points.map((point) => point.map(Math.abs));
  const forest = new IsolationForest(distances, config, random);
  return distances.map((point) => forest.score(point));
});
