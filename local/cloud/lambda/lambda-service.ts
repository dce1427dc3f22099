import { FlError } from '../../../shared/core/errors.ts';
import type { Meter } from '../service.ts';
import type { FunctionPlan } from '../template/plan.ts';
import { FunctionPool } from './function-pool.ts';
import type { InvocationResult } from './invocation.ts';
import { startRuntimeApi } from './runtime-api.ts';

/** What one function's processes do now; for the console and for tests that kill them. */
export interface RunningFunction {
  readonly name: string;
  readonly logicalId: string;
  readonly environments: readonly { readonly pid: number; readonly requestId: string | undefined }[];
}

export interface LambdaService {
  /** Invokes and waits. Errors of the function are results; @throws {FlError} `function-unknown` */
  invoke(functionArn: string, event: unknown): Promise<InvocationResult>;
  /** Invocations that wait or run, of all functions. */
  inFlight(): number;
  running(): readonly RunningFunction[];
  /** Starts one environment of each named function ahead of its first invocation; all functions by default. */
  warm(functionArns?: readonly string[]): void;
  close(): Promise<void>;
}

export interface LambdaOptions {
  readonly functions: readonly FunctionPlan[];
  readonly meter: Meter;
  /** Environments per function at most. */
  readonly concurrency: number;
  variables(plan: FunctionPlan): NodeJS.ProcessEnv;
  line(plan: FunctionPlan, text: string): void;
  unknownService(plan: FunctionPlan, description: string): void;
}

/** Runs the functions of a plan from their bundles, each environment a Node process of its own. */
export async function createLambda(options: LambdaOptions): Promise<LambdaService> {
  const runtimeApi = await startRuntimeApi();
  const pools = new Map<string, FunctionPool>();
  for (const plan of options.functions) {
    const concurrency = Math.min(options.concurrency, plan.reservedConcurrency ?? Number.POSITIVE_INFINITY);
    pools.set(
      plan.arn,
      new FunctionPool({
        plan,
        runtimeApi,
        meter: options.meter,
        concurrency,
        variables: () => options.variables(plan),
        line: (text) => options.line(plan, text),
        unknownService: (description) => options.unknownService(plan, description),
      }),
    );
  }
  const find = (arn: string): FunctionPool => {
    // A version or alias (`:$LATEST`, `:live`) stands behind the name; there is one version here.
    const pool = pools.get(arn) ?? pools.get(arn.split(':').slice(0, 7).join(':'));
    if (!pool) throw new FlError('function-unknown', `no function has the ARN ${arn}`);
    return pool;
  };
  return {
    invoke: async (functionArn, event) => find(functionArn).invoke(event),
    inFlight: () => sum([...pools.values()].map(({ inFlight }) => inFlight)),
    running: () =>
      [...pools.values()].map(({ plan, environments }) => ({
        name: plan.name,
        logicalId: plan.logicalId,
        environments: environments.flatMap(({ pid, requestId }) => (pid === undefined ? [] : [{ pid, requestId }])),
      })),
    warm(functionArns = [...pools.keys()]) {
      for (const arn of functionArns) find(arn).warm();
    },
    async close() {
      for (const pool of pools.values()) pool.close();
      await runtimeApi.close();
    },
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
