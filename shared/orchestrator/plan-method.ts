import type { AsyncPlan, ReferenceTerm } from '../core/asynchronous/async-plan.ts';
import { planAsync } from '../core/asynchronous/registry.ts';
import { FlError } from '../core/errors.ts';
import { updateWeights } from '../core/round.ts';
import type { BufferEntry, ModelLocation, TaskRecord } from '../ports/round-store.ts';
import type { Manifest, VectorLocation, WeightedVector } from '../wire/workflow.ts';
import type { Ports } from './ports.ts';
import { readCache, type UpdateCache } from './update-cache.ts';

/** The state vector of methods that keep a running direction. */
export const calibrationState = 'calibration';

/** What the task's asynchronous method makes of a round, with the places of the vectors that it refers to. */
export interface PlannedMethod {
  readonly plan: AsyncPlan;
  readonly references: WeightedVector[];
  readonly base: Manifest['base'];
  readonly cache: Manifest['cache'];
}

/** @param entries in the order of the manifest */
export async function planMethod(
  ports: Pick<Ports, 'rounds' | 'models' | 'updates'>,
  { task, version, config }: TaskRecord,
  model: ModelLocation,
  entries: readonly BufferEntry[],
): Promise<PlannedMethod> {
  const { method, staleness, weighting } = config;
  const sequences = entries.map(({ sequence }) => sequence).sort();
  const arrivals = new Map(sequences.map((sequence, i) => [sequence, i]));
  const given = entries.map(({ client, baseVersion, examples, sequence }) => ({
    client,
    examples,
    staleness: version - baseVersion,
    arrival: arrivals.get(sequence) ?? 0,
  }));
  const weights = updateWeights(given, staleness, weighting);
  const members = given.map((member, i) => ({ ...member, weight: weights[i] }));
  const kept = await keptState(ports, model, new Set(members.map(({ client }) => client)));
  const cached = new Map([...kept.cache].map(([client, { version }]) => [client, version]));
  const plan = planAsync(method, { version, members, cached, stalenessRule: staleness });
  const references: WeightedVector[] = [];
  for (const term of plan.references) {
    references.push({ location: await locate(ports, task, kept.cache, term), weight: term.weight });
  }
  const delayLimit = method.kind === 'aced' ? method.delayLimit : undefined;
  return { plan, references, base: kept.base, cache: plan.keepsCache ? { delayLimit } : undefined };
}

/** The cache and the state that goes with it: both, or neither where an update that the cache names is gone. */
async function keptState(
  { models, updates }: Pick<Ports, 'models' | 'updates'>,
  model: ModelLocation,
  clients: ReadonlySet<string>,
): Promise<{ readonly cache: UpdateCache; readonly base: Manifest['base'] }> {
  const { [calibrationState]: calibration, ...stateKeys } = model.stateKeys ?? {};
  const { cacheKey, ...rest } = model;
  const cache = await readCache(models, cacheKey);
  const wanted = [...cache].filter(([client]) => clients.has(client));
  const found = await Promise.all(wanted.map(([, { location }]) => updates.head(location.key)));
  const whole =
    cacheKey !== undefined &&
    calibration !== undefined &&
    wanted.every(([, { location }], i) => found[i]?.etag === location.etag);
  if (!whole) return { cache: new Map(), base: { ...rest, stateKeys } };
  return { cache, base: { ...rest, cacheKey, stateKeys: { ...stateKeys, [calibrationState]: calibration } } };
}

async function locate(
  { rounds }: Pick<Ports, 'rounds'>,
  task: TaskRecord['task'],
  cache: UpdateCache,
  term: ReferenceTerm,
): Promise<VectorLocation> {
  if (term.kind === 'cached') {
    const known = cache.get(term.client);
    if (!known) throw new FlError('cache-malformed', `no cached update of client "${term.client}"`);
    return known.location;
  }
  const record = await rounds.version(task, term.version);
  if (!record) throw new FlError('version-unknown', `task "${task}" has no version ${term.version}`);
  return { store: 'models', key: record.model.key, dataOffset: record.model.dataOffset };
}
