interface Point {
  readonly x: number;
  readonly y: number;
}

/** A slope with its 95% confidence interval, in units of y for each unit of x. */
export interface Trend {
  readonly slope: number;
  readonly low: number;
  readonly high: number;
}

/**
 * The Theil-Sen slope: the median of the slopes of all pairs, with Sen's interval from Kendall's variance (P. K. Sen, 1968,
 * JASA 63). Outliers do not move it. Samples that follow from each other make the true interval wider than this one.
 * @throws {RangeError} with fewer than four points
 */
export function trendOf(points: readonly Point[]): Trend {
  const n = points.length;
  if (n < 4) throw new RangeError(`a trend of ${n} points`);
  const slopes: number[] = [];
  for (let i = 0; i < n; i++) {
    for (let j = i + 1; j < n; j++) {
      if (points[i].x !== points[j].x) slopes.push((points[j].y - points[i].y) / (points[j].x - points[i].x));
    }
  }
  slopes.sort((a, b) => a - b);
  const spread = 1.96 * Math.sqrt((n * (n - 1) * (2 * n + 5)) / 18);
  const at = (rank: number) => slopes[Math.max(0, Math.min(slopes.length - 1, Math.round(rank)))];
  return {
    slope: median(slopes),
    low: at((slopes.length - spread) / 2 - 1),
    high: at((slopes.length + spread) / 2),
  };
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Growth below this share of its level in an hour is none that anyone would notice; nor is one megabyte or one handle. */
const noticedAnHour = 0.05;
const leastNoticed = 1;

export type Verdict = 'flat' | 'grows' | 'stepped' | 'unclear';

/**
 * What grows as much in the later half of the points grows on; what does not has taken a step, as V8 and malloc do when they
 * ask the system for more.
 * @param points x in hours, in its order
 */
export function verdictOf(points: readonly Point[]): Verdict {
  const all = slopeVerdict(points);
  const later = points.slice(points.length >> 1);
  return all === 'grows' && later.length >= 4 && slopeVerdict(later) !== 'grows' ? 'stepped' : all;
}

function slopeVerdict(points: readonly Point[]): Exclude<Verdict, 'stepped'> {
  const { slope, low, high } = trendOf(points);
  const noticed = Math.max(leastNoticed, noticedAnHour * median(points.map(({ y }) => y)));
  if (high < noticed) return 'flat';
  if (low > 0 && slope > noticed) return 'grows';
  return 'unclear';
}
