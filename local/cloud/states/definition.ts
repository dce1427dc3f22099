import type { Template } from './template.ts';

/** A state machine, checked and compiled. */
export interface Machine extends Process {
  readonly comment: string | undefined;
  readonly timeoutSeconds: number | undefined;
}

/** States that run one after the other: the machine itself, a branch of a Parallel, or what a Map runs for each item. */
export interface Process {
  readonly startAt: string;
  readonly states: ReadonlyMap<string, State>;
}

export type State = Task | Pass | Choice | Wait | Succeed | Fail | Parallel | MapState;

export type StateType = State['type'];

/** Variable names with the values to give them. */
export type Assign = readonly { readonly name: string; readonly value: Template }[];

/** What a state may hand on: its output (undefined: the state's default) and new values of variables. */
export interface Result {
  readonly output: Template | undefined;
  readonly assign: Assign;
}

interface Step extends Result {
  readonly name: string;
  /** undefined where the process ends. */
  readonly next: string | undefined;
}

export interface Retrier {
  readonly errorEquals: readonly string[];
  readonly intervalSeconds: number;
  readonly maxAttempts: number;
  readonly backoffRate: number;
  readonly maxDelaySeconds: number | undefined;
  readonly jitter: boolean;
}

export interface Catcher extends Result {
  readonly errorEquals: readonly string[];
  readonly next: string;
}

/** What Task, Parallel and Map do about their errors. */
export interface Recovery {
  readonly retry: readonly Retrier[];
  readonly catchers: readonly Catcher[];
}

/** Invokes a Lambda function through `arn:aws:states:::lambda:invoke`. */
export interface Task extends Step, Recovery {
  readonly type: 'Task';
  readonly arguments: Template;
  readonly timeoutSeconds: Template | undefined;
}

export interface Pass extends Step {
  readonly type: 'Pass';
}

export interface ChoiceRule extends Result {
  readonly condition: Template;
  readonly next: string;
}

export interface Choice extends Result {
  readonly type: 'Choice';
  readonly name: string;
  readonly rules: readonly ChoiceRule[];
  readonly fallback: string | undefined;
}

export interface Wait extends Step {
  readonly type: 'Wait';
  readonly until: { readonly kind: 'seconds' | 'timestamp'; readonly value: Template };
}

export interface Succeed {
  readonly type: 'Succeed';
  readonly name: string;
  readonly output: Template | undefined;
}

export interface Fail {
  readonly type: 'Fail';
  readonly name: string;
  readonly error: Template | undefined;
  readonly cause: Template | undefined;
}

export interface Parallel extends Step, Recovery {
  readonly type: 'Parallel';
  readonly arguments: Template | undefined;
  readonly branches: readonly Process[];
}

/** What only a distributed Map has. */
export interface Distribution {
  /** Standard children are billed by transition, Express children end after five minutes. */
  readonly executionType: 'STANDARD' | 'EXPRESS';
  readonly label: string;
  readonly reader: ItemReader | undefined;
  readonly batch: { readonly maxItems: Template; readonly batchInput: Template | undefined } | undefined;
  readonly toleratedCount: Template | undefined;
  readonly toleratedPercentage: Template | undefined;
}

/** A JSON array in S3. */
export interface ItemReader {
  readonly arguments: Template;
  readonly maxItems: Template | undefined;
}

export interface MapState extends Step, Recovery {
  readonly type: 'Map';
  readonly items: Template | undefined;
  readonly itemSelector: Template | undefined;
  readonly maxConcurrency: Template | undefined;
  readonly processor: Process;
  /** undefined for an inline Map. */
  readonly distribution: Distribution | undefined;
}
