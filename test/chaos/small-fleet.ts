import { memoryKeys } from '../../client/typescript/key-store.ts';
import type { Transport } from '../../client/typescript/transport.ts';
import { createTask } from '../../local/cli/create-task.ts';
import { issueKeys } from '../../local/cli/issue-keys.ts';
import { buildModel } from '../../local/cli/model-spec.ts';
import type { OperatorApi } from '../../local/cli/operator-api.ts';
import { loadFederation } from '../../local/data/load-federation.ts';
import { createFleet } from '../../local/fleet/fleet.ts';
import type { FleetEvent } from '../../local/fleet/fleet-options.ts';
import type { FleetTraits } from '../../local/fleet/profile.ts';
import { realClock } from '../../local/fleet/real-clock.ts';
import { createTrainerPool } from '../../local/fleet/trainer-pool.ts';
import { randomFrom } from '../../shared/core/random.ts';
import { encodeHeldOut } from '../../shared/wire/held-out.ts';
import type { ClientKey } from '../../shared/wire/identity/keys.ts';
import type { TaskConfigInput } from '../../shared/wire/task-config.ts';

/** Dozens of clients of Synthetic(1,1) and a softmax regression of 610 parameters: what `tributary start` trains. */
export interface SmallFleet {
  /** Creates the task, and enrols the clients. */
  declare(api: OperatorApi, endpoint: string, config: TaskConfigInput): Promise<void>;
  /** Takes part until the task ends or the signal aborts. */
  run(to: {
    readonly endpoint: string;
    readonly task: string;
    readonly concurrency: number;
    readonly transport: Transport;
    readonly signal: AbortSignal;
    readonly onEvent?: (event: FleetEvent) => void;
  }): Promise<void>;
  close(): Promise<void>;
}

export async function smallFleet(clients: number, seed: number, traits: FleetTraits): Promise<SmallFleet> {
  const data = await loadFederation({ dataset: 'synthetic', clients, seed });
  const model = await buildModel({ kind: 'logistic-regression', features: data.shape[0], classes: data.classes }, seed);
  const pool = createTrainerPool(new Map(data.clients.map(({ id, train }) => [id, train])), 1);
  const sizes = new Map(data.clients.map(({ id, train }) => [id, train.n]));
  let keys: readonly ClientKey[] = [];
  return {
    async declare(api, endpoint, config) {
      await createTask(api, config, model, { heldOut: encodeHeldOut(data.heldOut) });
      keys = await issueKeys(api, endpoint, [...sizes.keys()], { keysOf: memoryKeys });
    },
    async run(to) {
      const fleet = createFleet({
        ...to,
        clients: keys,
        traits,
        random: randomFrom(seed).fork('fleet'),
        clock: realClock,
        dropOutsLeave: 'with-ticket',
        train: async (client, { params, plan, package: files, random }) => {
          const trained = await pool.train({
            samples: client,
            package: files,
            params,
            plan,
            seed: String(random.below(2 ** 32)),
          });
          return { params: trained.params, examples: sizes.get(client) ?? 0, metrics: { trainLoss: trained.loss } };
        },
      });
      await fleet.run();
    },
    close: () => pool.close(),
  };
}
