import { FlError } from '../../../shared/core/errors.ts';
import { permutation, type Random } from '../../../shared/core/random.ts';

/**
 * Cuts examples into clients with skewed labels: for each class, the share of each client is drawn from a symmetric
 * Dirichlet(alpha), so that sizes differ too. Label skew of Hsu et al. 2019, arXiv:1909.06335, drawn class by
 * class as in Yurochkin et al. 2019, arXiv:1905.12022. Where a client falls short of `minimum`, the largest gives.
 * @param labels class of each example, integers in [0, classes)
 * @returns the example indices of each client, shuffled; every example is in exactly one
 * @throws {FlError} option-invalid if there are fewer than `clients * minimum` examples
 */
export function dirichletSplit(
  labels: ArrayLike<number>,
  { classes, clients, alpha, minimum }: { classes: number; clients: number; alpha: number; minimum: number },
  random: Random,
): Uint32Array[] {
  requireEnough(labels.length, clients, minimum);
  const parts: number[][] = Array.from({ length: clients }, () => []);
  for (let c = 0; c < classes; c++) {
    const stream = random.fork(`class/${c}`);
    const members = membersOf(labels, c);
    const order = permutation(members.length, stream);
    const shares = dirichlet(clients, alpha, stream);
    let from = 0;
    let cumulative = 0;
    for (let k = 0; k < clients; k++) {
      cumulative += shares[k];
      const to = k === clients - 1 ? members.length : Math.min(members.length, Math.round(cumulative * members.length));
      for (let i = from; i < to; i++) parts[k].push(members[order[i]]);
      from = Math.max(from, to);
    }
  }
  fillUp(parts, minimum, random.fork('fill-up'));
  return parts.map((part, k) => shuffled(part, random.fork(`client/${k}`)));
}

/**
 * Sorts by label, cuts into `clients * shardsEach` equal shards and deals each client `shardsEach` of them: with two,
 * most clients see two classes. McMahan et al. 2017, arXiv:1602.05629, section 3. A remainder goes one each to the first shards.
 */
export function shardSplit(
  labels: ArrayLike<number>,
  { classes, clients, shardsEach }: { classes: number; clients: number; shardsEach: number },
  random: Random,
): Uint32Array[] {
  const shardCount = clients * shardsEach;
  requireEnough(labels.length, clients, shardsEach);
  const sorted: number[] = [];
  for (let c = 0; c < classes; c++) {
    const members = membersOf(labels, c);
    const order = permutation(members.length, random.fork(`class/${c}`));
    for (const i of order) sorted.push(members[i]);
  }
  const startOf = (shard: number) => Math.floor((shard * sorted.length) / shardCount);
  const deal = permutation(shardCount, random.fork('deal'));
  return Array.from({ length: clients }, (_, k) => {
    const mine: number[] = [];
    for (let s = k * shardsEach; s < (k + 1) * shardsEach; s++) {
      for (let i = startOf(deal[s]); i < startOf(deal[s] + 1); i++) mine.push(sorted[i]);
    }
    return shuffled(mine, random.fork(`client/${k}`));
  });
}

/** Shares that sum to 1, from a symmetric Dirichlet(alpha): normalised Gamma(alpha) draws, in logarithms so that a tiny alpha does not underflow. */
export function dirichlet(count: number, alpha: number, random: Random): Float64Array {
  const logs = Float64Array.from({ length: count }, () => logGamma(alpha, random));
  const largest = logs.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const shares = logs.map((log) => Math.exp(log - largest));
  const total = shares.reduce((sum, share) => sum + share, 0);
  return shares.map((share) => share / total);
}

/** Logarithm of a Gamma(shape, 1) draw: Marsaglia and Tsang 2000, with their boost G(a) = G(a+1) U^(1/a). */
function logGamma(shape: number, random: Random): number {
  const d = shape + 1 - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  const boost = Math.log(1 - random.next()) / shape;
  for (;;) {
    const normal = random.normal();
    const v = (1 + c * normal) ** 3;
    if (v <= 0) continue;
    if (Math.log(1 - random.next()) < 0.5 * normal * normal + d - d * v + d * Math.log(v))
      return Math.log(d * v) + boost;
  }
}

function fillUp(parts: number[][], minimum: number, random: Random): void {
  for (const part of parts) {
    while (part.length < minimum) {
      const largest = parts.reduce((a, b) => (b.length > a.length ? b : a));
      const [moved] = largest.splice(random.below(largest.length), 1);
      part.push(moved);
    }
  }
}

function requireEnough(examples: number, clients: number, minimum: number): void {
  if (examples < clients * minimum) {
    throw new FlError(
      'option-invalid',
      `${clients} clients with at least ${minimum} examples each need more than ${examples}`,
    );
  }
}

function membersOf(labels: ArrayLike<number>, wanted: number): number[] {
  const members: number[] = [];
  for (let i = 0; i < labels.length; i++) if (labels[i] === wanted) members.push(i);
  return members;
}

function shuffled(items: readonly number[], random: Random): Uint32Array {
  return permutation(items.length, random).map((i) => items[i]);
}
