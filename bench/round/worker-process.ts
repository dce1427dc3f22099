import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import type { AggregateInput } from '../../shared/wire/workflow.ts';
import type { Meters } from './meters.ts';
import type { PlainBody } from './plain-body.ts';

export interface WorkOrder {
  readonly cells: readonly AggregateInput[];
  /** Read from files of this folder instead of from S3. */
  readonly folder?: string;
  /** Read and throw away: no kernel, no copy. */
  readonly discard?: true;
  /** Read this instead, and throw it away. */
  readonly plain?: PlainBody;
}

/** A process that aggregates cells and says what it took. */
export class WorkerProcess {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #answers: AsyncIterator<string>;

  private constructor(bundle: string, environment: NodeJS.ProcessEnv, flags: readonly string[]) {
    const env = { PATH: process.env.PATH, ...environment };
    this.#child = spawn(process.execPath, [...flags, bundle], { stdio: ['pipe', 'pipe', 'inherit'], env });
    this.#answers = createInterface(this.#child.stdout)[Symbol.asyncIterator]();
  }

  /** Resolves once the process is ready for work. @param flags of Node */
  static async start(
    bundle: string,
    environment: NodeJS.ProcessEnv,
    flags: readonly string[] = [],
  ): Promise<WorkerProcess> {
    const worker = new WorkerProcess(bundle, environment, flags);
    await worker.#answer();
    return worker;
  }

  async run(order: WorkOrder): Promise<Meters> {
    this.#child.stdin.write(`${JSON.stringify(order)}\n`);
    return JSON.parse(await this.#answer());
  }

  close(): void {
    this.#child.stdin.end();
  }

  async #answer(): Promise<string> {
    const { value, done } = await this.#answers.next();
    if (done) throw new Error('the aggregating process ended');
    return value;
  }
}
