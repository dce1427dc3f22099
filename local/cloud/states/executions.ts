import { interruptible, within } from './clock.ts';
import type { Machine } from './definition.ts';
import {
  definedOf,
  type Execution,
  endEventOf,
  executionArn,
  NameTaken,
  type Registered,
  resumptionOf,
  type Transition,
} from './execution.ts';
import { failureOf, Interrupted } from './failure.ts';
import { History, type HistoryEvent } from './history.ts';
import { type EndRecord, type Journalled, Journals, type StartRecord } from './journal.ts';
import { type Json, parseJson } from './json.ts';
import { parseMachine } from './parse-machine.ts';
import type { Run, Surroundings } from './run.ts';
import { type Resumption, runProcess } from './run-process.ts';

interface Live {
  readonly execution: Execution;
  readonly history: History;
  readonly cursor: { previousEventId: number };
  readonly controller: AbortController;
  done: Promise<void>;
}

/** Starts, resumes, stops and remembers executions. */
export class Executions {
  readonly #surroundings: Surroundings;
  readonly #journals: Journals;
  readonly #byArn = new Map<string, Execution>();
  readonly #live = new Map<string, Live>();
  readonly #listeners = new Set<(transition: Transition) => void>();
  #closing = false;

  constructor(surroundings: Surroundings, dir: string) {
    this.#surroundings = surroundings;
    this.#journals = new Journals(dir);
  }

  /**
   * Starts an execution; a Standard one that runs under this name with this very input is returned as it is.
   * @throws {NameTaken} if the name was used otherwise, be it long ago
   */
  start(registered: Registered, name: string, inputText: string): Execution {
    const arn = executionArn(registered, name);
    const twin = this.#byArn.get(arn);
    if (twin !== undefined) {
      if (twin.end === undefined && twin.start.inputText === inputText) return twin;
      throw new NameTaken(arn);
    }
    const { definition, arn: machineArn } = registered;
    const startMs = this.#surroundings.clock.now();
    const start: StartRecord = { arn, name, machineArn, inputText, startMs, definition };
    const execution: Execution = { start, machineName: registered.name, end: undefined, state: undefined };
    const live = this.#enlist(execution, registered.type === 'STANDARD', 0);
    live.history.record({ start: { ...start } });
    live.history.emit(live.cursor, 'ExecutionStarted', { executionStartedEventDetails: { input: inputText } });
    live.done = this.#drive(live, registered, () => registered.machine, undefined);
    return execution;
  }

  /** Reads all journals and takes running executions up where they stood, once `ready` resolves. */
  recover(machines: ReadonlyMap<string, Registered>, ready: Promise<void>): void {
    for (const journalled of this.#journals.readAll()) {
      const { start, end } = journalled;
      const machineName = start.machineArn.slice(start.machineArn.lastIndexOf(':') + 1);
      const execution: Execution = { start, machineName, end, state: undefined };
      if (end === undefined) this.#resume(execution, journalled, machines.get(start.machineArn), ready);
      else this.#byArn.set(start.arn, execution);
    }
  }

  find(arn: string): Execution | undefined {
    return this.#byArn.get(arn);
  }

  all(): IterableIterator<Execution> {
    return this.#byArn.values();
  }

  running(): Execution[] {
    return [...this.#live.values()].map(({ execution }) => execution);
  }

  events(execution: Execution): HistoryEvent[] {
    this.#live.get(execution.start.arn)?.history.flush();
    return this.#journals.events(this.#journals.fileOf(execution.start));
  }

  /** Ends a running execution as ABORTED; one that has ended stays as it is. */
  stop(execution: Execution, error: string | undefined, cause: string | undefined): void {
    const live = this.#live.get(execution.start.arn);
    if (live === undefined) return;
    this.#end(live, { status: 'ABORTED', stopMs: this.#surroundings.clock.now(), error, cause });
    live.controller.abort(new Interrupted('stopped'));
  }

  onTransition(listener: (transition: Transition) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Leaves running executions where they are; the next `recover` takes them up. */
  async close(): Promise<void> {
    this.#closing = true;
    const live = [...this.#live.values()];
    for (const { controller } of live) controller.abort(new Interrupted('closing'));
    await Promise.all(live.map(({ done }) => done));
  }

  #resume(
    execution: Execution,
    journalled: Journalled,
    registered: Registered | undefined,
    ready: Promise<void>,
  ): void {
    const live = this.#enlist(execution, true, journalled.lastEventId);
    if (registered === undefined) {
      const cause = 'The state machine was deleted while the execution ran.';
      this.#end(live, { status: 'ABORTED', stopMs: this.#surroundings.clock.now(), cause });
      return;
    }
    const resumption = resumptionOf(journalled);
    const machineOf = () => parseMachine(execution.start.definition, registered.name);
    live.done = interruptible(ready, live.controller.signal).then(
      () => this.#drive(live, registered, machineOf, resumption),
      () => {},
    );
  }

  /** Express executions leave no journal. */
  #enlist(execution: Execution, durable: boolean, lastEventId: number): Live {
    const file = this.#journals.fileOf(execution.start);
    const sink = durable ? (lines: readonly string[]) => this.#journals.append(file, lines) : undefined;
    const history = new History(this.#surroundings.clock, sink, lastEventId);
    const cursor = { previousEventId: lastEventId };
    const live = { execution, history, cursor, controller: new AbortController(), done: Promise.resolve() };
    if (durable) this.#byArn.set(execution.start.arn, execution);
    this.#live.set(execution.start.arn, live);
    return live;
  }

  async #drive(
    live: Live,
    registered: Registered,
    machineOf: () => Machine,
    resumption: Resumption | undefined,
  ): Promise<void> {
    const { clock } = this.#surroundings;
    const { start } = live.execution;
    try {
      live.controller.signal.throwIfAborted();
      const machine = machineOf();
      const input = parseJson(start.inputText);
      const run = this.#runOf(live, registered, input);
      const limitSeconds = machine.timeoutSeconds;
      const leftMs = limitSeconds === undefined ? undefined : start.startMs + limitSeconds * 1000 - clock.now();
      const timedOut = () => new Interrupted('timed-out');
      const output = await within(clock, leftMs, live.controller.signal, timedOut, (signal) => {
        const scope = { run, variables: {}, mapItem: undefined, signal, cursor: live.cursor, outermost: true };
        return runProcess(machine, input, scope, resumption);
      });
      this.#end(live, { status: 'SUCCEEDED', stopMs: clock.now(), output: JSON.stringify(output) });
    } catch (cause) {
      if (cause instanceof Interrupted && cause.kind === 'timed-out') {
        this.#end(live, { status: 'TIMED_OUT', stopMs: clock.now(), error: 'States.Timeout' });
      } else if (!(cause instanceof Interrupted)) {
        const { error, reason } = failureOf(cause);
        this.#end(live, { status: 'FAILED', stopMs: clock.now(), error, cause: reason });
      }
    }
  }

  #runOf({ execution, history }: Live, registered: Registered, input: Json): Run {
    const { start } = execution;
    const { name, arn, roleAccessKeyId, type } = registered;
    return {
      surroundings: this.#surroundings,
      machine: { name, arn, roleAccessKeyId },
      execution: {
        Id: start.arn,
        Name: start.name,
        Input: input,
        StartTime: new Date(start.startMs).toISOString(),
      },
      history,
      billed: type === 'STANDARD',
      runProcess,
      onState: (state, phase, outermost) => {
        if (outermost) execution.state = state;
        this.#tell(execution, phase, state);
      },
    };
  }

  #end(live: Live, end: EndRecord): void {
    const { execution, history, cursor } = live;
    if (execution.end !== undefined || this.#closing) return;
    execution.end = end;
    execution.state = undefined;
    this.#live.delete(execution.start.arn);
    const { type, details } = endEventOf(end);
    history.emit(cursor, type, details);
    history.record({ end: definedOf({ ...end }) });
    history.end();
    this.#tell(execution, 'ended', end.status);
  }

  #tell({ start, machineName }: Execution, phase: Transition['phase'], state: string): void {
    const transition = { executionArn: start.arn, executionName: start.name, machineName, phase, state };
    for (const listener of this.#listeners) listener(transition);
  }
}
