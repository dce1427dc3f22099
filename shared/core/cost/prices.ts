/**
 * What AWS charges in us-east-1, in dollars for one of each, on demand, without the free tier.
 * From the public price pages, November 2026. One gigabyte is 2^30 bytes, as AWS counts transfer and Lambda memory.
 */
export const prices = {
  'lambda.requests': 0.2 / 1e6,
  'lambda.armGbSeconds': 0.0000133334,
  'lambda.x86GbSeconds': 0.0000166667,
  /** Standard workflows; every state entered is one. */
  'states.transitions': 25 / 1e6,
  /** Children of a distributed Map, by request and by duration. */
  'states.expressRequests': 1 / 1e6,
  'states.expressGbSeconds': 0.0000166667,
  's3.putRequests': 5 / 1e6,
  's3.getRequests': 0.4 / 1e6,
  's3.bytesIn': 0,
  /** To the internet. What functions of the same region read is free and must not be counted here. */
  's3.bytesOut': 0.09 / 2 ** 30,
  'dynamodb.writeUnits': 0.625 / 1e6,
  'dynamodb.readUnits': 0.125 / 1e6,
  'sqs.requests': 0.4 / 1e6,
  'http.requests': 1 / 1e6,
  /** With an asymmetric key. The key itself is $1 a month. */
  'kms.signatures': 0.15 / 1e4,
} as const;

/** What a bill is made of. */
export type UsageKind = keyof typeof prices;

/** How much was used of each kind; what is missing is zero. */
export type Usage = Readonly<Partial<Record<UsageKind, number>>>;

/** Dollars for what was used: no free tier, no storage, no monitoring. @throws {RangeError} on a negative or NaN amount */
export function estimateUsd(usage: Usage): number {
  let dollars = 0;
  for (const kind of usageKinds) {
    const amount = usage[kind] ?? 0;
    if (!(amount >= 0 && amount < Number.POSITIVE_INFINITY)) {
      throw new RangeError(`usage of ${kind}: expected a finite amount >= 0, got ${amount}`);
    }
    dollars += amount * prices[kind];
  }
  return dollars;
}

export const usageKinds = Object.keys(prices) as readonly UsageKind[];
