import { type ChildProcessByStdio, spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';

/** A Python peer that answers one JSON line for each it gets. */
export class PeerProcess {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #answers: AsyncIterator<string>;

  private constructor(python: string, script: string) {
    const env = { ...process.env, OMP_NUM_THREADS: '1', MKL_NUM_THREADS: '1', OPENBLAS_NUM_THREADS: '1' };
    this.#child = spawn(python, [join(import.meta.dirname, script)], { stdio: ['pipe', 'pipe', 'inherit'], env });
    this.#answers = createInterface(this.#child.stdout)[Symbol.asyncIterator]();
  }

  /** undefined if `module` is not installed for `python` (PYTHON in the environment, else python3). */
  static start(script: string, module: string, python = process.env.PYTHON ?? 'python3'): PeerProcess | undefined {
    if (spawnSync(python, ['-c', `import ${module}`]).status !== 0) return undefined;
    return new PeerProcess(python, script);
  }

  async ask<T>(request: object): Promise<T> {
    this.#child.stdin.write(`${JSON.stringify(request)}\n`);
    const { value, done } = await this.#answers.next();
    if (done) throw new Error('the peer ended');
    return JSON.parse(value) as T;
  }

  close(): void {
    this.#child.stdin.end();
  }
}
