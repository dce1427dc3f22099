import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { CloudAddress, CloudAnswers, CloudMessage, CloudRequest, Numbered } from './cloud-messages.ts';

const entry = fileURLToPath(new URL('./cloud-process.ts', import.meta.url));
const startLimitMs = 60_000;

/** The process died while it was asked. */
export class CloudDied extends Error {
  override readonly name = 'CloudDied';
}

/** A local cloud in a process of its own, on a folder that outlives it. */
export class KillableCloud {
  readonly #folders: readonly [assembly: string, state: string];
  readonly #log: (line: string) => void;
  readonly #v8Options: readonly string[];
  readonly #waiting = new Map<number, { resolve: (answer: unknown) => void; reject: (error: Error) => void }>();
  #process: ChildProcess | undefined;
  #address: CloudAddress | undefined;
  #nextId = 1;

  /** @param log told every line that the cloud logs */
  constructor(
    folders: { readonly assembly: string; readonly state: string },
    log: (line: string) => void,
    v8Options: readonly string[] = [],
  ) {
    this.#folders = [folders.assembly, folders.state];
    this.#log = log;
    this.#v8Options = v8Options;
  }

  /** The same in every life. @throws {Error} before the first start */
  get address(): CloudAddress {
    if (!this.#address) throw new Error('the cloud was never up');
    return this.#address;
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /** Resolves when the cloud is up. @throws {Error} if it ends before, or comes back under another address */
  async start(): Promise<CloudAddress> {
    const child = this.#spawn();
    const address = await new Promise<CloudAddress>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('the cloud does not come up')), startLimitMs);
      child.on('message', (message: CloudMessage) => {
        if (message.kind !== 'up') return;
        clearTimeout(timer);
        resolve(message.address);
      });
      child.once('exit', () => {
        clearTimeout(timer);
        reject(new CloudDied('the cloud ended before it was up'));
      });
    });
    this.#address ??= address;
    if (JSON.stringify(address) !== JSON.stringify(this.#address)) {
      throw new Error(`the cloud came back as ${JSON.stringify(address.endpoints)}`);
    }
    return address;
  }

  /** SIGKILL while it comes up. @param afterMs of its start; it may be up by then */
  async startAndDie(afterMs: number): Promise<void> {
    const child = this.#spawn();
    const timer = setTimeout(() => child.kill('SIGKILL'), afterMs);
    await once(child, 'exit');
    clearTimeout(timer);
  }

  /** SIGKILL, and waits until the process is gone. */
  async kill(): Promise<void> {
    const child = this.#process;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }

  /** @throws {CloudDied} */
  async ask<K extends CloudRequest['kind']>(request: Extract<CloudRequest, { kind: K }>): Promise<CloudAnswers[K]> {
    const child = this.#process;
    if (!child?.connected) throw new CloudDied('the cloud is not up');
    const id = this.#nextId++;
    const numbered: Numbered = { ...request, id };
    const answer = await new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      child.send(numbered);
    });
    return answer as CloudAnswers[K];
  }

  #spawn(): ChildProcess {
    const child = fork(entry, this.#folders, {
      execArgv: ['--expose-gc', ...this.#v8Options],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    this.#process = child;
    child.stderr?.setEncoding('utf8').on('data', (text: string) => this.#log(text.trimEnd()));
    child.on('message', (message: CloudMessage) => {
      if (message.kind === 'log') this.#log(message.line);
      if (message.kind !== 'answer') return;
      this.#waiting.get(message.id)?.resolve(message.answer);
      this.#waiting.delete(message.id);
    });
    child.on('error', () => {});
    child.once('exit', () => {
      for (const { reject } of this.#waiting.values()) reject(new CloudDied('the cloud died'));
      this.#waiting.clear();
    });
    return child;
  }
}
