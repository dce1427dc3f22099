import { memoryKeys } from '../../client/typescript/key-store.ts';
import { createTask } from '../../local/cli/create-task.ts';
import { issueKeys } from '../../local/cli/issue-keys.ts';
import { buildModel } from '../../local/cli/model-spec.ts';
import { OperatorApi } from '../../local/cli/operator-api.ts';
import type { Cloud } from '../../local/cloud/cloud.ts';
import { keyFileOf } from '../../shared/wire/identity/keys.ts';
import type { LoadPlan } from './generator.ts';

/** A running cloud with enrolled clients, and tasks that each have so many tickets to give. */
export interface Arena {
  readonly endpoint: string;
  readonly clients: LoadPlan['clients'];
  /** Declares and starts tasks of their own. @param cap open tickets that each may have */
  tasks(prefix: string, count: number, cap: number): Promise<string[]>;
}

export async function openArena(cloud: Cloud, clientCount: number): Promise<Arena> {
  const endpoint = cloud.outputs.ApiUrl.replace(/\/+$/, '');
  const { region, ...credentials } = cloud.credentials;
  const api = new OperatorApi({ url: endpoint, region, credentials: async () => credentials });
  const names = Array.from({ length: clientCount }, (_, i) => `load-${i}`);
  const keys = await issueKeys(api, endpoint, names, { keysOf: memoryKeys });
  const clients = await Promise.all(keys.map(async (key) => ({ ...(await keyFileOf(endpoint, key)), kid: key.kid })));
  const model = await buildModel({ kind: 'logistic-regression', features: 4, classes: 2 }, 1);
  return {
    endpoint,
    clients,
    async tasks(prefix, count, cap) {
      const made: string[] = [];
      for (let i = 0; i < count; i++) {
        const task = `${prefix}-${i}`;
        const round = { mode: 'async', buffer: 10, minimum: 2, deadlineMs: 3_600_000 } as const;
        await createTask(api, { task, round, selection: { concurrency: cap } }, model, {});
        made.push(task);
      }
      return made;
    },
  };
}
