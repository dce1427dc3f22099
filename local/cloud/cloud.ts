import type { Denial } from './assembly/denials.ts';
import { prepareGround } from './assembly/ground.ts';
import { localUrls } from './assembly/local-urls.ts';
import { untilQuiet } from './assembly/quiet.ts';
import { startApis } from './assembly/start-apis.ts';
import { startFunctions } from './assembly/start-functions.ts';
import { startMachines } from './assembly/start-machines.ts';
import { startSources } from './assembly/start-sources.ts';
import { startStorage } from './assembly/start-storage.ts';
import type { Usage } from './assembly/usage-meter.ts';
import type { RunningFunction } from './lambda/lambda-service.ts';
import { type Endpoints, type RoleCredentials, variablesOf } from './lambda/variables.ts';
import type { MetricRecord } from './logs/embedded-metrics.ts';
import { localAccount } from './service.ts';
import type { LocalStates } from './states/create-states.ts';

export interface CloudOptions {
  /** The folder that `cdk synth` wrote: the only description that is read. */
  readonly assembly: string;
  /** State: buckets, tables, queues, executions, logs. A cloud that was killed starts again on it. */
  readonly dir: string;
  /** Told what a person should see: denied calls, faults. */
  readonly log?: (line: string) => void;
  /** Processes per function at most; 2 by default. */
  readonly concurrency?: number;
}

export interface Cloud {
  /** The stacks' outputs, URLs replaced by local ones. */
  readonly outputs: Readonly<Record<string, string>>;
  /** Where each service listens; `apis` by logical id. */
  readonly endpoints: Endpoints & { readonly apis: Readonly<Record<string, string>> };
  /** The operator's access key: may do everything. */
  readonly credentials: RoleCredentials & { readonly region: string };
  readonly states: Pick<LocalStates, 'running' | 'onTransition'>;
  /** Folder with `<function>.log`. */
  readonly logs: string;
  usage(): Usage;
  /** Calls back for every metric that a function logs; returns what ends that. */
  onMetrics(listener: (record: MetricRecord) => void): () => void;
  /** Every call that the template does not allow, each once, in order of appearance. */
  denials(): readonly Denial[];
  functions(): readonly RunningFunction[];
  /** Starts one process of each function ahead of its first invocation. */
  warm(): void;
  /** Resolves when no request, function or execution runs and consumed queues hold no message that is visible or in flight (a delayed one does not count). */
  idle(): Promise<void>;
  /** Ends everything, processes of functions by force. */
  close(): Promise<void>;
}

/**
 * Runs a synthesized assembly on 127.0.0.1: services in this process, each execution environment in one of its own.
 * @throws {FlError} `assembly-invalid`, `template-invalid`, `template-unsupported`, `grant-missing`, `state-locked`
 */
export async function startCloud({ assembly, dir, log = () => {}, concurrency = 2 }: CloudOptions): Promise<Cloud> {
  const ground = prepareGround({ assembly, dir, log, concurrency });
  try {
    const { plan, principals } = ground;
    const { sqs, dynamodb, s3, kms, notifying } = await startStorage(ground);
    const functions = await startFunctions(ground, (fn) => {
      const environment = Object.fromEntries(
        Object.entries(fn.environment).map(([key, text]) => [key, urls.text(text)]),
      );
      const variables = variablesOf({ ...fn, environment }, principals.credentialsOf(fn.roleArn), endpoints);
      // V8 keeps what it compiled: from the second process of a bundle on, a start takes a third of the time.
      return { ...variables, NODE_COMPILE_CACHE: ground.path('compile-cache') };
    });
    const apis = await startApis(ground, functions);
    const urls = localUrls(
      plan,
      { s3: s3.url, sqs: sqs.url },
      new Map(apis.map(({ id, service }) => [id, service.url])),
    );
    const states = await startMachines(ground, functions, urls, s3.url);
    const endpoints = { s3: s3.url, sqs: sqs.url, dynamodb: dynamodb.url, states: states.url, kms: kms.url };
    startSources(ground, functions, urls, sqs.url);
    ground.open();

    const consumed = [...new Set(plan.mappings.map(({ queueArn }) => queueArn))];
    const isStill = async () => {
      const busy = functions.inFlight() + notifying() + apis.reduce((sum, { service }) => sum + service.inFlight(), 0);
      if (busy > 0 || !states.idle()) return false;
      const depths = await Promise.all(consumed.map((queueArn) => sqs.depth(queueArn)));
      return depths.every(({ visible, inFlight }) => visible + inFlight === 0);
    };
    const closing = new AbortController();
    return {
      outputs: Object.fromEntries(Object.entries(plan.outputs).map(([key, text]) => [key, urls.text(text)])),
      endpoints: { ...endpoints, apis: Object.fromEntries(apis.map((api) => [api.logicalId, api.service.url])) },
      credentials: { ...principals.operator, region: localAccount.region },
      states,
      logs: functions.logs,
      usage: () => ground.meter.usage(),
      onMetrics: functions.onMetrics,
      denials: () => ground.denials.list,
      functions: functions.running,
      warm: () => functions.warm(),
      idle: () => untilQuiet(isStill, closing.signal),
      async close() {
        closing.abort();
        await ground.close();
      },
    };
  } catch (error) {
    await ground.close();
    throw error;
  }
}
