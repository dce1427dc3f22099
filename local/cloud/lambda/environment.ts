import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import type { FunctionPlan } from '../template/plan.ts';
import { exited, type FunctionError, type InvocationResult, timedOut, tooLarge } from './invocation.ts';
import type { RuntimeApi } from './runtime-api.ts';

/** Told what happens in an environment. */
export interface EnvironmentListener {
  line(text: string): void;
  /** It waits for work. `initMs` is the time from start to the first call for work; 0 later. */
  ready(initMs: number): void;
  /** It is dead. `failure` is set if it died before it ever was ready. */
  dead(failure: FunctionError | undefined): void;
  unknownService(description: string): void;
}

interface Work {
  readonly requestId: string;
  readonly timer: NodeJS.Timeout;
  readonly resolve: (result: InvocationResult) => void;
  /** The answer, held until the process's last line for this invocation came through the pipe. */
  result?: InvocationResult;
  logged: boolean;
}

const bootstrap = fileURLToPath(new URL('./bootstrap.mjs', import.meta.url));
const errorSchema = z.looseObject({
  errorType: z.string(),
  errorMessage: z.string(),
  trace: z.array(z.string()).optional(),
});
const initLimitMs = 10_000;

/** One execution environment: a process that takes one invocation at a time. */
export class Environment {
  readonly #plan: FunctionPlan;
  readonly #runtimeApi: RuntimeApi;
  readonly #listener: EnvironmentListener;
  readonly #token = randomUUID();
  readonly #process: ChildProcess;
  readonly #startedMs = performance.now();
  readonly #initTimer: NodeJS.Timeout;
  #waiting: ServerResponse | undefined;
  #work: Work | undefined;
  #wasReady = false;
  #initError: FunctionError | undefined;
  #ended = false;

  /** @param variables the whole environment of the process */
  constructor(plan: FunctionPlan, variables: NodeJS.ProcessEnv, runtimeApi: RuntimeApi, listener: EnvironmentListener) {
    this.#plan = plan;
    this.#runtimeApi = runtimeApi;
    this.#listener = listener;
    runtimeApi.attach(this.#token, {
      next: (response) => this.#next(response),
      finished: (...call) => this.#finished(...call),
      initFailed: (body) => {
        this.#initError = parseError(body);
      },
      unknownService: (description) => listener.unknownService(description),
    });
    const api = new URL(runtimeApi.url);
    this.#process = spawn(process.execPath, [...memoryFlags(plan.memoryMb), bootstrap], {
      cwd: plan.folder,
      env: {
        ...variables,
        AWS_LAMBDA_RUNTIME_API: `${api.host}/${this.#token}`,
        AWS_ENDPOINT_URL: `${api.origin}/${this.#token}/unknown`,
      },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.#process.on('error', (error) => this.#end(error.message));
    this.#process.on('close', (code, signal) =>
      this.#end(signal ? `signal: ${signalName(signal)}` : `exit status ${code}`),
    );
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      if (stream)
        createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY }).on('line', (line) => this.#line(line));
    }
    this.#process.stdin?.on('error', () => {});
    this.#initTimer = setTimeout(() => this.kill(), initLimitMs);
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  get idle(): boolean {
    return this.#waiting !== undefined && this.#work === undefined;
  }

  get ready(): boolean {
    return this.#wasReady;
  }

  /** The id of the invocation that runs now. */
  get requestId(): string | undefined {
    return this.#work?.requestId;
  }

  /** Runs one invocation; only while `idle`. @param event JSON text */
  invoke(requestId: string, event: string): Promise<InvocationResult> {
    const response = this.#waiting;
    if (!response || this.#work) throw new Error(`environment of ${this.#plan.name} is not idle`);
    this.#waiting = undefined;
    const timeoutMs = this.#plan.timeoutSeconds * 1000;
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#answer({ functionError: timedOut(requestId, this.#plan.timeoutSeconds) });
        this.kill();
      }, timeoutMs);
      this.#work = { requestId, timer, resolve, logged: false };
      response.writeHead(200, {
        'content-type': 'application/json',
        'lambda-runtime-aws-request-id': requestId,
        'lambda-runtime-deadline-ms': String(Date.now() + timeoutMs),
        'lambda-runtime-invoked-function-arn': this.#plan.arn,
      });
      response.end(event);
    });
  }

  kill(): void {
    this.#process.kill('SIGKILL');
  }

  #next(response: ServerResponse): void {
    clearTimeout(this.#initTimer);
    this.#waiting = response;
    const initMs = this.#wasReady ? 0 : performance.now() - this.#startedMs;
    this.#wasReady = true;
    this.#listener.ready(initMs);
  }

  #finished(requestId: string, outcome: 'response' | 'error', body: string | undefined, sizeBytes: number): void {
    const work = this.#work;
    if (work?.requestId !== requestId) return;
    if (body === undefined) work.result = { functionError: tooLarge('Response', sizeBytes) };
    else if (outcome === 'error') work.result = { functionError: parseError(body) };
    else work.result = { payload: JSON.parse(body) };
    if (work.logged) this.#answer(work.result);
  }

  #line(text: string): void {
    const work = this.#work;
    const mark = work && `END RequestId: ${work.requestId}`;
    if (!work || !mark || !text.endsWith(mark)) {
      this.#listener.line(text);
      return;
    }
    if (text !== mark) this.#listener.line(text.slice(0, -mark.length));
    work.logged = true;
    if (work.result) this.#answer(work.result);
  }

  #answer(result: InvocationResult): void {
    const work = this.#work;
    if (!work) return;
    this.#work = undefined;
    clearTimeout(work.timer);
    work.resolve(result);
    if (this.#waiting) this.#listener.ready(0);
  }

  #end(how: string): void {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#initTimer);
    this.#waiting = undefined;
    this.#runtimeApi.detach(this.#token);
    const work = this.#work;
    if (work) this.#answer(work.result ?? { functionError: exited(work.requestId, how) });
    const failure = this.#wasReady ? undefined : (this.#initError ?? exited('init', how));
    this.#listener.dead(failure);
  }
}

/** The heap is what the managed runtime makes it: about nine tenths of the function's memory. */
function memoryFlags(memoryMb: number): string[] {
  return [`--max-old-space-size=${Math.floor(memoryMb * 0.9)}`];
}

function signalName(signal: string): string {
  return signal === 'SIGKILL' ? 'killed' : signal === 'SIGABRT' ? 'aborted' : signal;
}

function parseError(body: string): FunctionError {
  try {
    const { errorType, errorMessage, trace } = errorSchema.parse(JSON.parse(body));
    return { errorType, errorMessage, trace };
  } catch {
    return { errorType: 'Runtime.MalformedError', errorMessage: body.slice(0, 1000) };
  }
}
