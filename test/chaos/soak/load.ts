import { memoryKeys } from '../../../client/typescript/key-store.ts';
import { fetchTransport } from '../../../client/typescript/transport.ts';
import { createTask } from '../../../local/cli/create-task.ts';
import { issueKeys } from '../../../local/cli/issue-keys.ts';
import { buildModel } from '../../../local/cli/model-spec.ts';
import type { OperatorApi } from '../../../local/cli/operator-api.ts';
import { loadFederation } from '../../../local/data/load-federation.ts';
import { createFleet } from '../../../local/fleet/fleet.ts';
import { defaultTraits } from '../../../local/fleet/profile.ts';
import { realClock } from '../../../local/fleet/real-clock.ts';
import { randomFrom } from '../../../shared/core/random.ts';
import { encodeHeldOut } from '../../../shared/wire/held-out.ts';
import type { ClientKey } from '../../../shared/wire/identity/keys.ts';

export interface Load {
  readonly clients: number;
  /** Updates wanted in `ms`, spread evenly. */
  readonly updates: number;
  readonly ms: number;
  readonly buffer: number;
  readonly seed: number;
}

/** Clients at work at the same time. */
const concurrency = 32;
const task = 'soak';

/** A small model's task without an end. */
export async function declareSoak(api: OperatorApi, { buffer, seed, ms, updates }: Load): Promise<string> {
  const data = await loadFederation({ dataset: 'synthetic', clients: 30, seed });
  const model = await buildModel({ kind: 'logistic-regression', features: data.shape[0], classes: data.classes }, seed);
  const config = {
    task,
    round: { buffer, minimum: 1, deadlineMs: 60_000, maxStaleness: 50 },
    selection: { concurrency: 4 * concurrency, ticketLifetimeMs: Math.ceil(4 * turnMs({ ms, updates }) + 5_000) },
  };
  return createTask(api, config, model, { heldOut: encodeHeldOut(data.heldOut) });
}

/** Names the clients, and enrols each. */
export function enrolLoad(api: OperatorApi, endpoint: string, clients: number): Promise<readonly ClientKey[]> {
  const names = Array.from({ length: clients }, (_, i) => `client-${String(i).padStart(5, '0')}`);
  return issueKeys(api, endpoint, names, { keysOf: memoryKeys });
}

/**
 * Clients that come and go at an even pace until the signal aborts or enough updates are in. They do not train: their
 * updates are noise, so that what is measured is the cloud.
 */
export async function runLoad(
  endpoint: string,
  keys: readonly ClientKey[],
  load: Load,
  { signal, uploaded }: { readonly signal: AbortSignal; readonly uploaded: (total: number) => void },
): Promise<void> {
  const enough = new AbortController();
  let total = 0;
  const typicalMs = turnMs(load);
  const fleet = createFleet({
    endpoint,
    task,
    clients: keys,
    traits: { ...defaultTraits, typicalMs, speedSpread: 0.3, stragglers: 0, dropOuts: 0.02, networkMs: 10 },
    concurrency,
    random: randomFrom(load.seed).fork('soak'),
    clock: realClock,
    dropOutsLeave: 'with-ticket',
    transport: fetchTransport,
    signal: AbortSignal.any([signal, enough.signal]),
    train: async (_, { params, random }) => ({
      params: params.values.map((value) => value + 0.001 * random.normal()),
      examples: 10 + random.below(100),
    }),
    onEvent: ({ kind }) => {
      if (kind !== 'uploaded') return;
      uploaded(++total);
      if (total >= load.updates) enough.abort(new Error('enough updates'));
    },
  });
  await fleet.run();
}

/** What one client may take for an update, so that all of them together keep the pace. */
function turnMs({ ms, updates }: Pick<Load, 'ms' | 'updates'>): number {
  return (concurrency * ms) / updates;
}
