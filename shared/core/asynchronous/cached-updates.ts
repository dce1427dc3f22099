import type { AsyncPlan, AsyncRound, ReferenceTerm } from './async-plan.ts';

/**
 * CA2FL: the mean of every client's latest update, corrected by what the round's clients have moved since theirs,
 * `v = h + mean_i (update_i - h_i)`. Wang et al., "Tackling the Data Heterogeneity in Asynchronous Federated Learning with
 * Cached Update Calibration", ICLR 2024, algorithm 1. The state vector is the sum of the cached updates. Every client of the
 * round counts the same, as in the paper; a client that was never seen has `h_i = 0`.
 */
export function planCa2fl(round: AsyncRound): AsyncPlan {
  const { weights, references, clients } = replacement(round, new Set(round.cached.keys()));
  return {
    weights,
    references,
    stepScale: 1,
    keepsCache: true,
    calibration: {
      direction: { state: 1 / federationSize(round), sum: 1 },
      next: { state: 1, sum: clients },
    },
  };
}

/**
 * ACE and ACED, arXiv:2511.19066: the mean of every client's latest update, whoever sent the round's. ACED leaves out those
 * that came in more than `delayLimit` versions ago. The state vector is the sum of the updates that count.
 * It differs from the paper: the age of an update counts from the version that it went into, not from its base, for the latter
 * is bounded at admission; and clients that were never heard are left out instead of awaited.
 * @param delayLimit >= 1; Infinity for ACE
 */
export function planAllClients(delayLimit: number, round: AsyncRound): AsyncPlan {
  if (!(delayLimit >= 1)) throw new RangeError(`delayLimit: ${delayLimit}, expected >= 1`);
  const inSum = [...round.cached].filter(([, version]) => round.version - version <= delayLimit);
  const expiring = inSum.filter(([, version]) => round.version + 1 - version > delayLimit).map(([client]) => client);
  const replaced = replacement(round, new Set(inSum.map(([client]) => client)));
  const present = new Set(round.members.map(({ client }) => client));
  const expired = expiring
    .filter((client) => !present.has(client))
    .map((client): ReferenceTerm => ({ kind: 'cached', client, weight: -1 / replaced.clients }));
  const counted = new Set([...inSum.map(([client]) => client), ...present]).size - expired.length;
  return {
    weights: replaced.weights,
    references: [...replaced.references, ...expired],
    stepScale: 1,
    keepsCache: true,
    calibration: {
      direction: { state: 1 / counted, sum: replaced.clients / counted },
      next: { state: 1, sum: replaced.clients },
    },
  };
}

/**
 * The mean, over the clients of the round, of the latest update minus the one that it replaces in the sum of the cached.
 * @param inSum whose cached updates the state holds
 */
function replacement(
  { members }: AsyncRound,
  inSum: ReadonlySet<string>,
): { readonly weights: number[]; readonly references: ReferenceTerm[]; readonly clients: number } {
  // The order of arrival says which update of a client is its latest, and leaves no other trace.
  const latest = new Map<string, number>();
  for (const [i, { client, arrival }] of members.entries()) {
    const known = latest.get(client);
    if (known === undefined || members[known].arrival < arrival) latest.set(client, i);
  }
  const part = 1 / latest.size;
  return {
    clients: latest.size,
    weights: members.map(({ client }, i) => (latest.get(client) === i ? part : 0)),
    references: [...latest.keys()]
      .filter((client) => inSum.has(client))
      .map((client) => ({ kind: 'cached', client, weight: -part })),
  };
}

function federationSize({ cached, members, clients = 0 }: AsyncRound): number {
  const known = new Set([...cached.keys(), ...members.map(({ client }) => client)]);
  return Math.max(clients, known.size);
}
