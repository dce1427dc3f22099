import { randomUUID } from 'node:crypto';
import type { Meter } from '../service.ts';
import type { FunctionPlan } from '../template/plan.ts';
import { Environment } from './environment.ts';
import { type InvocationResult, payloadLimitBytes, tooLarge } from './invocation.ts';
import type { RuntimeApi } from './runtime-api.ts';

export interface PoolOptions {
  readonly plan: FunctionPlan;
  readonly runtimeApi: RuntimeApi;
  readonly meter: Meter;
  /** Environments at most. */
  readonly concurrency: number;
  /** The environment variables of a new process. */
  variables(): NodeJS.ProcessEnv;
  /** Lines of the function and of the platform (`START`, `REPORT`). */
  line(text: string): void;
  unknownService(description: string): void;
}

interface Waiting {
  readonly requestId: string;
  readonly event: string;
  readonly resolve: (result: InvocationResult) => void;
}

/** The execution environments of one function: reused, started when asked for, invocations beyond `concurrency` wait. */
export class FunctionPool {
  readonly #options: PoolOptions;
  readonly #environments = new Set<Environment>();
  readonly #queue: Waiting[] = [];
  #inFlight = 0;
  #closed = false;

  constructor(options: PoolOptions) {
    this.#options = options;
  }

  get plan(): FunctionPlan {
    return this.#options.plan;
  }

  /** Invocations that wait or run. */
  get inFlight(): number {
    return this.#inFlight;
  }

  get environments(): readonly Environment[] {
    return [...this.#environments];
  }

  async invoke(event: unknown): Promise<InvocationResult> {
    const text = JSON.stringify(event) ?? 'null';
    const sizeBytes = Buffer.byteLength(text);
    if (sizeBytes > payloadLimitBytes) return { functionError: tooLarge('Request', sizeBytes) };
    this.#options.meter.count('lambda.requests');
    this.#inFlight += 1;
    try {
      return await new Promise<InvocationResult>((resolve) => {
        this.#queue.push({ requestId: randomUUID(), event: text, resolve });
        this.#pump();
      });
    } finally {
      this.#inFlight -= 1;
    }
  }

  /** Starts environments until there are `count`, or as many as the cap allows. */
  warm(count = 1): void {
    while (this.#environments.size < Math.min(count, this.#options.concurrency)) this.#start(false);
  }

  /** Kills every environment; invocations that run or wait end with `Runtime.ExitError`. */
  close(): void {
    this.#closed = true;
    for (const environment of this.#environments) environment.kill();
    for (const { requestId, resolve } of this.#queue.splice(0)) {
      const errorMessage = `RequestId: ${requestId} Error: the local cloud is closing`;
      resolve({ functionError: { errorType: 'Runtime.ExitError', errorMessage } });
    }
  }

  #pump(): void {
    if (this.#closed) {
      this.close();
      return;
    }
    for (const environment of this.#environments) {
      const next = environment.idle ? this.#queue.shift() : undefined;
      if (next) void this.#run(environment, next);
    }
    let starting = this.environments.filter(({ ready }) => !ready).length;
    while (starting < this.#queue.length && this.#environments.size < this.#options.concurrency) {
      this.#start(true);
      starting += 1;
    }
  }

  async #run(environment: Environment, { requestId, event, resolve }: Waiting): Promise<void> {
    const { line, plan } = this.#options;
    line(`START RequestId: ${requestId} Version: $LATEST`);
    const startedMs = performance.now();
    const result = await environment.invoke(requestId, event);
    const durationMs = performance.now() - startedMs;
    const billedMs = this.#bill(durationMs);
    if ('functionError' in result) line(`ERROR RequestId: ${requestId} ${JSON.stringify(result.functionError)}`);
    line(
      `REPORT RequestId: ${requestId} Duration: ${durationMs.toFixed(2)} ms Billed Duration: ${billedMs} ms Memory Size: ${plan.memoryMb} MB`,
    );
    resolve(result);
  }

  /** Lambda bills milliseconds, rounded up, times configured memory; since August 2025 the init phase too, but not what `warm` started. */
  #bill(durationMs: number): number {
    const { architecture, memoryMb } = this.#options.plan;
    const billedMs = Math.ceil(durationMs);
    const kind = architecture === 'arm64' ? 'lambda.armGbSeconds' : 'lambda.x86GbSeconds';
    this.#options.meter.count(kind, (billedMs / 1000) * (memoryMb / 1024));
    return billedMs;
  }

  #start(billed: boolean): void {
    const { plan, runtimeApi, line, unknownService } = this.#options;
    const environment = new Environment(plan, this.#options.variables(), runtimeApi, {
      line,
      unknownService,
      ready: (initMs) => {
        if (initMs > 0) {
          line(`INIT_START Runtime: node ${process.version} Init Duration: ${initMs.toFixed(2)} ms`);
          if (billed) this.#bill(initMs);
        }
        this.#pump();
      },
      dead: (failure) => {
        this.#environments.delete(environment);
        if (failure) {
          line(`INIT_REPORT Status: error ${JSON.stringify(failure)}`);
          this.#queue.shift()?.resolve({ functionError: failure });
        }
        this.#pump();
      },
    });
    this.#environments.add(environment);
  }
}
