import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AccessDenied } from '../../../local/cloud/service.ts';
import type { Clock } from '../../../local/cloud/states/clock.ts';
import type { Execution, Registered, Transition } from '../../../local/cloud/states/execution.ts';
import { Executions } from '../../../local/cloud/states/executions.ts';
import type { HistoryEvent } from '../../../local/cloud/states/history.ts';
import { type Json, toJson } from '../../../local/cloud/states/json.ts';
import { parseMachine } from '../../../local/cloud/states/parse-machine.ts';
import type { InvokeResult } from '../../../local/cloud/states/run.ts';

export const startMs = Date.UTC(2026, 10, 30, 12, 0, 0);

/** A clock on which every sleep is over at once; it keeps how long each was. */
export class LeapingClock implements Clock {
  readonly slept: number[] = [];
  #now = startMs;

  now(): number {
    return this.#now;
  }

  async sleep(ms: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    this.slept.push(ms);
    this.#now += ms;
  }
}

/** A clock that stands until a test moves it. */
export class StandingClock implements Clock {
  #now: number;
  readonly #sleepers = new Map<() => void, number>();
  #onSleep: (() => void) | undefined;

  constructor(now = startMs) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  sleep(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#sleepers.set(resolve, this.#now + ms);
      signal.addEventListener('abort', () => {
        this.#sleepers.delete(resolve);
        reject(signal.reason);
      });
      this.#onSleep?.();
    });
  }

  /** When the next sleeper wakes; waits until there is one. */
  async nextWakeMs(): Promise<number> {
    if (this.#sleepers.size === 0) {
      await new Promise<void>((resolve) => {
        this.#onSleep = resolve;
      });
    }
    return Math.min(...this.#sleepers.values());
  }

  advanceTo(ms: number): void {
    this.#now = ms;
    for (const [wake, at] of this.#sleepers) {
      if (at > ms) continue;
      this.#sleepers.delete(wake);
      wake();
    }
  }
}

export type LocalFunction = (payload: unknown) => unknown;

export interface Stage {
  readonly functions?: Readonly<Record<string, LocalFunction>>;
  readonly objects?: Readonly<Record<string, string>>;
  readonly clock?: Clock;
  readonly denied?: readonly string[];
  readonly dir?: string;
  readonly type?: 'STANDARD' | 'EXPRESS';
  readonly name?: string;
}

export const machineArn = 'arn:aws:states:us-east-1:000000000000:stateMachine:round';

export function functionArn(name: string): string {
  return `arn:aws:lambda:us-east-1:000000000000:function:${name}`;
}

/** An error that a function throws under a class name of its own. */
export class FunctionFault extends Error {
  readonly errorType: string | undefined;

  constructor(errorType: string | undefined, message: string) {
    super(message);
    this.errorType = errorType;
  }
}

export function newDir(): string {
  return mkdtempSync(join(tmpdir(), 'tributary-states-'));
}

/** Executions over functions, objects and grants that a test makes up. */
export function stageOf(definition: unknown, stage: Stage = {}) {
  const calls: { functionName: string; payload: unknown }[] = [];
  const usage = { transitions: 0 };
  const surroundings = {
    guard: {
      secretOf: () => 'secret',
      authorize(accessKeyId: string, action: string, resource: string) {
        if (stage.denied?.includes(action))
          throw new AccessDenied(accessKeyId, action, resource, 'no policy allows it');
      },
    },
    meter: {
      count(kind: string, amount = 1) {
        if (kind === 'states.transitions') usage.transitions += amount;
      },
    },
    clock: stage.clock ?? new LeapingClock(),
    async invoke(arn: string, payload: unknown): Promise<InvokeResult> {
      const functionName = arn.slice(arn.lastIndexOf(':') + 1);
      calls.push({ functionName, payload });
      const implementation = stage.functions?.[functionName];
      if (implementation === undefined) throw new Error(`no function ${functionName}`);
      try {
        return { payload: await implementation(payload) };
      } catch (cause) {
        if (!(cause instanceof FunctionFault)) throw cause;
        return { functionError: { errorType: cause.errorType, errorMessage: cause.message } };
      }
    },
    async readObject(bucket: string, key: string): Promise<Uint8Array> {
      const text = stage.objects?.[`${bucket}/${key}`];
      if (text === undefined) throw new Error(`NoSuchKey: ${key}`);
      return new TextEncoder().encode(text);
    },
  };
  const registered: Registered = {
    name: 'round',
    arn: machineArn,
    type: stage.type ?? 'STANDARD',
    roleAccessKeyId: 'ROUNDROLE',
    definition: toJson(definition) ?? null,
    machine: parseMachine(definition, 'round'),
  };
  const executions = new Executions(surroundings, stage.dir ?? newDir());
  return { executions, registered, calls, usage };
}

export interface Ended {
  readonly status: string | undefined;
  readonly output: Json | undefined;
  readonly error: string | undefined;
  readonly cause: string | undefined;
  readonly types: string[];
  readonly events: HistoryEvent[];
  readonly calls: { functionName: string; payload: unknown }[];
  readonly transitions: number;
}

/** Runs a machine to its end. */
export async function execute(definition: unknown, input: Json = {}, stage: Stage = {}): Promise<Ended> {
  const { executions, registered, calls, usage } = stageOf(definition, stage);
  const ended = whenEnded(executions, stage.name ?? 'one');
  const execution = executions.start(registered, stage.name ?? 'one', JSON.stringify(input));
  await ended;
  return { ...reportOf(executions, execution), calls, transitions: usage.transitions };
}

/** Resolves once the named execution ends. */
export function whenEnded(executions: Executions, name: string): Promise<void> {
  return whenMoved(executions, (move) => move.executionName === name && move.phase === 'ended');
}

export function whenMoved(executions: Executions, matches: (transition: Transition) => boolean): Promise<void> {
  return new Promise((resolve) => {
    const forget = executions.onTransition((transition) => {
      if (!matches(transition)) return;
      forget();
      resolve();
    });
  });
}

export function reportOf(executions: Executions, execution: Execution) {
  const { end, start } = execution;
  const events = start.arn.includes(':express:') ? [] : executions.events(execution);
  return {
    status: end?.status,
    output: end?.output === undefined ? undefined : toJson(JSON.parse(end.output)),
    error: end?.error,
    cause: end?.cause,
    types: events.map(({ type }) => type),
    events,
  };
}

/** A machine in JSONata whose first state is the first given. */
export function machine(states: Record<string, unknown>, rest: Record<string, unknown> = {}) {
  return { QueryLanguage: 'JSONata', StartAt: Object.keys(states)[0], States: states, ...rest };
}

/** A Task that invokes the named function with its state's input. */
export function task(name: string, rest: Record<string, unknown> = { End: true }) {
  return {
    Type: 'Task',
    Resource: 'arn:aws:states:::lambda:invoke',
    Arguments: { FunctionName: functionArn(name), Payload: '{% $states.input %}' },
    ...rest,
  };
}
