import type { Guard, Meter } from '../service.ts';
import type { Clock } from './clock.ts';
import type { Process } from './definition.ts';
import type { Cursor, History } from './history.ts';
import type { Json } from './json.ts';

/** What a function answered: its payload, or the error that it threw or died of. */
export type InvokeResult =
  | { readonly payload: unknown }
  | {
      readonly functionError: {
        readonly errorType?: string;
        readonly errorMessage?: string;
        readonly trace?: readonly string[];
      };
    };

/** What the interpreter needs from the rest of the local cloud. */
export interface Surroundings {
  readonly guard: Guard;
  readonly meter: Meter;
  readonly clock: Clock;
  invoke(functionArn: string, payload: unknown): Promise<InvokeResult>;
  readObject(bucket: string, key: string, roleAccessKeyId: string): Promise<Uint8Array>;
}

export interface MachineIdentity {
  readonly name: string;
  readonly arn: string;
  /** Credentials of the machine's role. */
  readonly roleAccessKeyId: string;
}

/** One execution: one that somebody started, or a child of a distributed Map. */
export interface Run {
  readonly surroundings: Surroundings;
  readonly machine: MachineIdentity;
  readonly execution: { readonly Id: string; readonly Name: string; readonly Input: Json; readonly StartTime: string };
  readonly history: History;
  /** Standard executions are billed by transition. */
  readonly billed: boolean;
  runProcess(process: Process, input: Json, scope: Scope): Promise<Json>;
  onState?(state: string, phase: 'entered' | 'exited', outermost: boolean): void;
}

export type Variables = Readonly<Record<string, Json>>;

/** Where in a run a process runs. Inner scopes start with the outer's variables; what they assign is theirs. */
export interface Scope {
  readonly run: Run;
  readonly variables: Variables;
  readonly mapItem: { readonly Index: number; readonly Value: Json } | undefined;
  readonly signal: AbortSignal;
  readonly cursor: Cursor;
  /** False within a Parallel or Map: an execution resumes at a state of its outermost process. */
  readonly outermost: boolean;
}

/** One state being run, at one attempt. */
export interface Visit {
  readonly scope: Scope;
  readonly state: { readonly type: string; readonly name: string };
  readonly input: Json;
  readonly enteredMs: number;
  readonly enteredEventId: number;
  readonly retryCount: number;
}

/** What a state left behind; `next` is undefined where the process ends. */
export interface Outcome {
  readonly output: Json;
  readonly variables: Variables;
  readonly next: string | undefined;
}
