import { functionSpecs } from '../../../infra/function-specs.ts';
import type { TicketId } from '../../../shared/core/names.ts';
import { type Random, randomFrom } from '../../../shared/core/random.ts';
import { BufferGauge } from '../../../shared/orchestrator/buffer-gauge.ts';
import type { Ports } from '../../../shared/orchestrator/ports.ts';
import { LayoutCache } from '../../../shared/orchestrator/read-object.ts';
import type { Evaluator } from '../../../shared/ports/evaluator.ts';
import { ArrivalsQueue, type Message } from './arrivals-queue.ts';
import { type FaultRates, noFaults } from './faults.ts';
import { functionPorts } from './function-ports.ts';
import { Invocation, type Outcome } from './invocation.ts';
import { Journal } from './journal.ts';
import { type PlannedLayout, planned, plannedCells } from './planned-layout.ts';
import { RecordedObjectStore, RecordedRoundStore } from './recorded-stores.ts';
import type { RoundFunctions } from './round-functions.ts';
import { RoundMachine } from './round-machine.ts';
import { productSteps, type Steps } from './steps.ts';
import { VirtualTime } from './virtual-time.ts';

export interface CloudOptions {
  readonly rates: FaultRates;
  /** Pieces that streams come in. */
  readonly chunkBytes: number;
  readonly layout?: PlannedLayout;
  readonly target: number;
  readonly steps?: Partial<Steps>;
  /** Changes a function's ports: how a mutant breaks what the stores promise. */
  readonly ports?: (ports: Ports, cloud: Cloud) => Ports;
  /** Changes the stores themselves. */
  readonly stores?: (cloud: Cloud) => void;
  readonly trace?: (line: string) => void;
}

type FunctionName = keyof typeof functionSpecs;

/** The deployment in memory: stores, queue, state machine, and functions that live as long as the faults let them. */
export class Cloud {
  readonly time = new VirtualTime();
  readonly journal = new Journal();
  readonly random: Random;
  readonly models: RecordedObjectStore;
  readonly updates: RecordedObjectStore;
  readonly rounds: RecordedRoundStore;
  readonly queue: ArrivalsQueue;
  readonly machine: RoundMachine;
  readonly steps: Steps;
  rates: FaultRates;
  readonly #options: CloudOptions;
  readonly #running = new Set<Invocation>();
  readonly #startMs: number;
  #invocations = 0;
  #tickets = 0;
  readonly #gauge = new BufferGauge();

  constructor(seed: string, options: CloudOptions) {
    this.#options = options;
    this.#startMs = this.time.nowMs;
    this.random = randomFrom(`${seed}/cloud`);
    this.rates = options.rates;
    this.steps = { ...productSteps, ...options.steps };
    this.models = new RecordedObjectStore(this.journal, options.chunkBytes);
    this.updates = new RecordedObjectStore(this.journal, options.chunkBytes);
    this.rounds = new RecordedRoundStore(this.journal, this.models);
    const rates = () => this.rates;
    this.queue = new ArrivalsQueue(this.time, randomFrom(`${seed}/queue`), rates, (message, id) =>
      this.#receive(message, id),
    );
    this.machine = new RoundMachine({
      time: this.time,
      random: randomFrom(`${seed}/machine`),
      rates,
      functions: this.#roundFunctions(),
      note: (line) => this.note(line),
      onAbandoned: (name) => this.journal.abandoned.add(name),
      onSeal: (version, end) => {
        this.journal.count(`version ${end}`);
        if (end === 'sealed') this.journal.sealed.add(version);
      },
    });
    options.stores?.(this);
  }

  note(line: () => string): void {
    this.#options.trace?.(`${((this.time.nowMs - this.#startMs) / 1000).toFixed(3).padStart(10)} s  ${line()}`);
  }

  /** Runs a function of the product under its own timeout. */
  async invoke<Result>(
    name: FunctionName,
    detail: string,
    work: (ports: Ports, layouts: LayoutCache) => Promise<Result>,
  ): Promise<Outcome<Result>> {
    const label = `${name}#${this.#invocations++}${detail && ` ${detail}`}`;
    const invocation = new Invocation(label, {
      time: this.time,
      random: this.random,
      rates: () => this.rates,
      note: (line) => this.note(line),
      onGhost: () => this.journal.ghosts.add(`${name} ${detail}`),
    });
    this.journal.count(`invocation of ${name}`);
    const ports = functionPorts(
      {
        ...this,
        starter: this.machine,
        secrets: { ticketId: () => String(this.#tickets++).padStart(43, '0') as TicketId },
        telemetry: { record: () => {} },
        gauge: this.#gauge,
      },
      invocation,
    );
    const asPlanned = this.#withPlannedManifests(ports);
    const given = this.#options.ports?.(asPlanned, this) ?? asPlanned;
    this.#running.add(invocation);
    const timeoutMs = functionSpecs[name].timeoutSeconds * 1000;
    const outcome = await invocation.run(() => work(given, new LayoutCache(given.models)), timeoutMs);
    if (outcome.kind !== 'died') this.#running.delete(invocation);
    if (outcome.kind === 'threw') {
      const { error } = outcome;
      this.note(() => `${label} threw ${error instanceof Error ? error.message : error}`);
    }
    if (outcome.kind !== 'returned') this.journal.count(outcome.kind === 'died' ? 'function died' : 'function failed');
    return outcome;
  }

  /** Everything that runs dies at once. */
  restart(): void {
    this.note(() => `RESTART: ${this.#running.size} functions die`);
    this.journal.count('restart');
    for (const invocation of this.#running) invocation.kill(() => 'restart');
    this.#running.clear();
  }

  /** A presigned PUT as S3 takes it. @returns its status */
  putUpdate(key: string, bytes: Uint8Array, expiresAtMs: number): 200 | 403 | 412 {
    if (this.time.nowMs > expiresAtMs) return 403;
    if (this.updates.objects.has(key)) return 412;
    if (this.journal.updates.has(key)) this.journal.tamperedKeys.add(key);
    this.updates.objects.set(key, bytes.slice());
    this.journal.updates.set(key, bytes.slice());
    const { duplicateEvent, lateEvent, lostEvent } = this.rates;
    const arrival = { key, etag: this.updates.etagOf(key), bytes: bytes.length };
    const send = () => {
      const delayMs = this.random.next() < lateEvent ? 20 * 60_000 * this.random.next() : 500 * this.random.next();
      this.queue.send({ kind: 'arrival', arrival }, delayMs);
    };
    if (this.random.next() < lostEvent) this.journal.count('event lost');
    else send();
    if (this.random.next() < duplicateEvent) send();
    return 200;
  }

  /** A person or a lifecycle rule deletes an update. */
  deleteUpdate(key: string): void {
    this.journal.tamperedKeys.add(key);
    this.updates.objects.delete(key);
    this.note(() => `somebody deletes ${key.replace(/0{20,}/, '..')}`);
  }

  /** Somebody with access to the bucket writes other bytes over an admitted update. */
  overwriteUpdate(key: string): void {
    const bytes = this.updates.objects.get(key)?.slice();
    if (!bytes) return;
    bytes[bytes.length - 1] ^= 0x11;
    this.journal.tamperedKeys.add(key);
    this.updates.objects.set(key, bytes);
    this.note(() => `somebody overwrites ${key.replace(/0{20,}/, '..')}`);
  }

  async #receive(message: Message, id: number): Promise<boolean> {
    const outcome = await this.invoke('AdmitUpdate', `message ${id}`, async (ports, layouts) => {
      if (message.kind === 'deadline') await this.steps.onDeadline(ports, message);
      else await this.steps.admitUpdate(ports, layouts, message.arrival);
    });
    return outcome.kind === 'returned';
  }

  #withPlannedManifests(ports: Ports): Ports {
    const { layout } = this.#options;
    if (!layout) return ports;
    const { models } = ports;
    const createOnce = (key: string, bytes: Uint8Array) =>
      models.createOnce(key, key.endsWith('/manifest.json') ? planned(bytes, layout) : bytes);
    const get = (target: typeof models, property: string | symbol) =>
      property === 'createOnce' ? createOnce : Reflect.get(target, property);
    return { ...ports, models: new Proxy(models, { get }) };
  }

  #roundFunctions(): RoundFunctions {
    const { target, layout } = this.#options;
    const evaluator: Evaluator = {
      evaluate: async (_graph, { values }) => {
        const loss = values.reduce((sum, value) => sum + Math.abs(value - target), 0) / values.length;
        return { loss, accuracy: 1 / (1 + loss), examples: 1 };
      },
    };
    const { steps } = this;
    const cellOf = ({ manifestKey, cell }: { manifestKey: string; cell: number }) =>
      `${manifestKey.split('/')[3]} cell ${cell}`;
    return {
      freeze: (input) =>
        this.invoke('Freeze', `v${input.version}-a${input.attempt}`, (ports, layouts) =>
          steps.freeze(ports, layouts, input),
        ),
      losses: (input) =>
        this.invoke('Losses', cellOf(input), (ports) => steps.evaluateUpdates(ports, evaluator, input)),
      measure: (input) => this.invoke('Measure', cellOf(input), (ports) => steps.measureTile(ports, input)),
      judge: (input) =>
        this.invoke('Judge', input.manifestKey.split('/')[3], (ports) => steps.judgeRound(ports, input)),
      aggregate: (input) =>
        this.invoke('Aggregate', `${cellOf(input)} level ${input.level}`, (ports) => steps.aggregateCell(ports, input)),
      publish: (input) =>
        this.invoke('Publish', input.manifestKey.split('/')[3], (ports) => steps.publish(ports, input)),
      evaluate: (input) =>
        this.invoke('Evaluate', `v${input.version}`, (ports) => new steps.evaluator(ports, evaluator).evaluate(input)),
      seal: (input) => this.invoke('Seal', `v${input.version}`, (ports) => steps.seal(ports, input)),
      settle: (input) => this.invoke('Settle', `v${input.version}`, (ports) => steps.settle(ports, input)),
      release: (input) =>
        this.invoke('Release', `v${input.version}-a${input.attempt}`, (ports) => steps.release(ports, input)),
      asPlanned: (frozen) => (layout ? plannedCells(frozen, layout) : frozen),
    };
  }

  /** From here on nothing goes wrong any more. */
  calm(): void {
    this.note(() => 'faults stop');
    this.rates = noFaults;
  }
}
