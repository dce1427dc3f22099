import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TributaryClient } from '../../client/typescript/client.ts';
import { memoryKeys } from '../../client/typescript/key-store.ts';
import { nodeCompressors } from '../../functions/compressors.ts';
import { createTask } from '../../local/cli/create-task.ts';
import { issueKeys } from '../../local/cli/issue-keys.ts';
import { buildModel } from '../../local/cli/model-spec.ts';
import { OperatorApi } from '../../local/cli/operator-api.ts';
import { synthesize } from '../../local/cli/synthesize.ts';
import { type Cloud, startCloud } from '../../local/cloud/cloud.ts';
import { randomFrom } from '../../shared/core/random.ts';
import type { Samples } from '../../shared/core/samples.ts';
import { encodeHeldOut } from '../../shared/wire/held-out.ts';
import type { ClientKey } from '../../shared/wire/identity/keys.ts';
import type { TaskConfigInput } from '../../shared/wire/task-config.ts';

const features = 8;
const classes = 3;

let synthesized: Promise<string> | undefined;

/** A fresh copy of the synthesized stack, as `cdk synth` writes it: synthesized once for a test file. */
export async function freshAssembly(): Promise<string> {
  synthesized ??= (async () => {
    const dir = mkdtempSync(join(tmpdir(), 'tributary-e2e-assembly-'));
    await synthesize(dir);
    return dir;
  })();
  const copy = mkdtempSync(join(tmpdir(), 'tributary-e2e-'));
  cpSync(await synthesized, copy, { recursive: true });
  return copy;
}

/** A local cloud over the product's own template, with the operator's API. */
export interface RunningFederation {
  readonly cloud: Cloud;
  readonly api: OperatorApi;
  readonly endpoint: string;
  readonly lines: string[];
  /** The key of a client of that name, invited and enrolled when it is first asked for. */
  key(name: string): Promise<ClientKey>;
  client(name: string): Promise<TributaryClient>;
  close(): Promise<void>;
}

/** @param kept a state folder that outlives the federation; a fresh one by default */
export async function startFederation(assembly: string, kept?: string): Promise<RunningFederation> {
  const dir = kept ?? mkdtempSync(join(tmpdir(), 'tributary-e2e-state-'));
  const lines: string[] = [];
  const cloud = await startCloud({ assembly, dir, log: (line) => lines.push(line) });
  const endpoint = cloud.outputs.ApiUrl.replace(/\/+$/, '');
  const credentials = { ...cloud.credentials };
  const api = new OperatorApi({ url: endpoint, region: credentials.region, credentials: async () => credentials });
  const keys = new Map<string, Promise<ClientKey>>();
  const key = (name: string) => {
    const known = keys.get(name) ?? issueKeys(api, endpoint, [name], { keysOf: memoryKeys }).then(([made]) => made);
    keys.set(name, known);
    return known;
  };
  return {
    cloud,
    api,
    endpoint,
    lines,
    key,
    client: async (name) =>
      new TributaryClient({
        endpoint,
        identity: await key(name),
        retry: { attempts: 3 },
        compressors: nodeCompressors,
      }),
    close: async () => {
      await cloud.close();
      for (const folder of kept === undefined ? [dir, assembly] : [assembly])
        rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A softmax regression with a small held-out set. @returns the number of its parameters */
export async function createSmallTask(
  api: OperatorApi,
  config: TaskConfigInput,
  { root = false }: { readonly root?: boolean } = {},
): Promise<number> {
  const model = await buildModel({ kind: 'logistic-regression', features, classes }, 1);
  await createTask(api, config, model, {
    heldOut: encodeHeldOut(someSamples(60)),
    ...(root && { root: encodeHeldOut(someSamples(40)) }),
  });
  return model.package.layout.size;
}

function someSamples(n: number): Samples {
  const random = randomFrom('held-out');
  const x = Float32Array.from({ length: n * features }, () => random.normal());
  const y = Int32Array.from({ length: n }, () => random.below(classes));
  return { x, y, n, shape: [features] };
}

/** One update with given values through the client library: ticket, training that adds the values, upload. */
export async function contribute(
  federation: RunningFederation,
  task: string,
  name: string,
  values: (index: number) => number,
  examples = 10,
): Promise<void> {
  const client = await federation.client(name);
  await client.participate(task, {
    maxUpdates: 1,
    train: async ({ params }) => ({ params: params.values.map((value, i) => value + values(i)), examples }),
  });
}
