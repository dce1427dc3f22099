/**
 * A histogram over buckets whose width grows with the value, so that every quantile comes out within `accuracy` of itself: DDSketch
 * (Masson, Rim and Lee 2019, arXiv:1908.10693). Counts add, so sketches merge exactly and in any order.
 */
export interface QuantileSketch {
  /** Largest relative error of a quantile, in (0, 1). */
  readonly accuracy: number;
  /** Values of less than 1e-9, either sign. */
  readonly zeros: number;
  /** Bucket i holds values in (g^(i-1), g^i] with g = (1 + accuracy) / (1 - accuracy): [i, count], ascending. */
  readonly positive: readonly (readonly [bucket: number, count: number])[];
  /** The same for the values' negatives. */
  readonly negative: readonly (readonly [bucket: number, count: number])[];
}

const smallest = 1e-9;

/** The sketch of the values that are not NaN. */
export function sketchOf(values: Iterable<number>, accuracy = 0.01): QuantileSketch {
  const logBase = Math.log((1 + accuracy) / (1 - accuracy));
  const [positive, negative] = [new Map<number, number>(), new Map<number, number>()];
  let zeros = 0;
  for (const value of values) {
    if (Number.isNaN(value)) continue;
    if (Math.abs(value) < smallest) {
      zeros++;
      continue;
    }
    const buckets = value > 0 ? positive : negative;
    const bucket = Math.ceil(Math.log(Math.abs(value)) / logBase);
    buckets.set(bucket, (buckets.get(bucket) ?? 0) + 1);
  }
  return { accuracy, zeros, positive: sorted(positive), negative: sorted(negative) };
}

/** @throws {RangeError} if the accuracies differ */
export function mergeSketches(a: QuantileSketch, b: QuantileSketch): QuantileSketch {
  if (a.accuracy !== b.accuracy) throw new RangeError(`accuracy: ${a.accuracy} and ${b.accuracy} do not merge`);
  return {
    accuracy: a.accuracy,
    zeros: a.zeros + b.zeros,
    positive: added(a.positive, b.positive),
    negative: added(a.negative, b.negative),
  };
}

/**
 * The value of rank `share * (count - 1)`, rounded down, within the relative accuracy; undefined for an empty sketch.
 * @param share in [0, 1]: 0.5 is the median
 */
export function quantile({ accuracy, zeros, positive, negative }: QuantileSketch, share: number): number | undefined {
  const base = (1 + accuracy) / (1 - accuracy);
  const middle = (bucket: number) => (2 * base ** bucket) / (base + 1);
  const ascending: (readonly [value: number, count: number])[] = [
    ...negative.toReversed().map(([bucket, count]) => [-middle(bucket), count] as const),
    ...(zeros > 0 ? [[0, zeros] as const] : []),
    ...positive.map(([bucket, count]) => [middle(bucket), count] as const),
  ];
  const total = ascending.reduce((sum, [, count]) => sum + count, 0);
  const rank = Math.floor(share * (total - 1));
  let below = 0;
  for (const [value, count] of ascending) {
    below += count;
    if (below > rank) return value;
  }
  return undefined;
}

type Buckets = QuantileSketch['positive'];

function added(a: Buckets, b: Buckets): Buckets {
  const sum = new Map(a);
  for (const [bucket, count] of b) sum.set(bucket, (sum.get(bucket) ?? 0) + count);
  return sorted(sum);
}

function sorted(buckets: ReadonlyMap<number, number>): Buckets {
  return [...buckets].sort((a, b) => a[0] - b[0]);
}
