import { roundDefinition, roundSteps } from '../../../infra/round-definition.ts';
import type { Random } from '../../../shared/core/random.ts';
import type { RoundStarter } from '../../../shared/ports/workflow.ts';
import { executionName, type RoundInput } from '../../../shared/wire/workflow.ts';
import type { FaultRates } from './faults.ts';
import type { Outcome } from './invocation.ts';
import type { RoundFunctions } from './round-functions.ts';
import type { VirtualTime } from './virtual-time.ts';

type Status = 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'ABORTED' | 'TIMED_OUT';

interface Execution {
  readonly name: string;
  readonly input: RoundInput;
  status: Status;
}

/** A step that failed for good, by the name that the definition matches on. */
class StepFailed extends Error {
  readonly code: string;
  constructor(code: string, cause: string) {
    super(cause);
    this.code = code;
  }
}

class ExecutionOver extends Error {}

const definition = roundDefinition(
  Object.fromEntries(roundSteps.map((step) => [step, step])) as Parameters<typeof roundDefinition>[0],
);
/** The retriers that the template has. */
const retriers: readonly {
  readonly ErrorEquals: readonly string[];
  readonly MaxAttempts: number;
  readonly IntervalSeconds?: number;
  readonly BackoffRate?: number;
  readonly MaxDelaySeconds?: number;
}[] = definition.States.Freeze.Retry;

const executionTimeoutMs = 2 * 3600_000;

/** Step Functions: the round's state machine, each step retried as `infra/round-definition.ts` says. */
export class RoundMachine implements RoundStarter {
  readonly executions = new Map<string, Execution>();
  #waiting: (() => void)[] = [];
  readonly #time: VirtualTime;
  readonly #random: Random;
  readonly #rates: () => FaultRates;
  readonly #functions: RoundFunctions;
  readonly #note: (line: () => string) => void;
  readonly #onAbandoned: (name: string) => void;
  readonly #onSeal: (version: number, end: 'sealed' | 'given up') => void;

  constructor(world: {
    readonly time: VirtualTime;
    readonly random: Random;
    readonly rates: () => FaultRates;
    readonly functions: RoundFunctions;
    readonly note: (line: () => string) => void;
    readonly onAbandoned: (name: string) => void;
    /** How the step that seals came to its end. */
    readonly onSeal: (version: number, end: 'sealed' | 'given up') => void;
  }) {
    this.#time = world.time;
    this.#random = world.random;
    this.#rates = world.rates;
    this.#functions = world.functions;
    this.#note = world.note;
    this.#onAbandoned = world.onAbandoned;
    this.#onSeal = world.onSeal;
  }

  async start(input: RoundInput) {
    const name = executionName(input);
    const known = this.executions.get(name);
    if (known) return known.status === 'RUNNING' || known.status === 'SUCCEEDED' ? 'known' : ('ended-badly' as const);
    const execution: Execution = { name, input, status: 'RUNNING' };
    this.executions.set(name, execution);
    this.#time.after(50 * this.#random.next(), () => void this.#run(execution));
    this.#time.after(executionTimeoutMs, () => this.#end(execution, 'TIMED_OUT'));
    if (this.#random.next() < this.#rates().doubleExecution) {
      this.#note(() => `${name} will run twice`);
      const double: Execution = { name: `${name}'`, input, status: 'RUNNING' };
      this.executions.set(double.name, double);
      this.#time.after(3_000 * this.#random.next() ** 4, () => void this.#run(double));
    }
    return 'started' as const;
  }

  /** Resolves when the next execution starts. */
  nextStart(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** An operator's StopExecution. @returns whether there was one to stop */
  stop(name: string): boolean {
    const execution = this.executions.get(name);
    if (execution?.status !== 'RUNNING') return false;
    this.#end(execution, 'ABORTED');
    return true;
  }

  #end(execution: Execution, status: Status): void {
    if (execution.status !== 'RUNNING') return;
    execution.status = status;
    if (status === 'ABORTED' || status === 'TIMED_OUT') this.#onAbandoned(execution.name);
    this.#note(() => `execution ${execution.name} ${status}`);
  }

  async #run(execution: Execution): Promise<void> {
    this.#note(() => `execution ${execution.name} starts`);
    for (const wake of this.#waiting.splice(0)) wake();
    try {
      await this.#round(execution);
      this.#end(execution, 'SUCCEEDED');
    } catch (error) {
      if (error instanceof ExecutionOver) return;
      if (!(error instanceof StepFailed)) throw error;
      const failure = { error: error.code.slice(0, 200), cause: error.message.slice(0, 30_000) };
      this.#note(() => `execution ${execution.name} releases: ${failure.error} ${failure.cause.slice(0, 120)}`);
      const released = await this.#step(execution, 'Release', () =>
        this.#functions.release({ ...execution.input, ...failure }),
      ).catch((again: unknown) => {
        if (again instanceof ExecutionOver || again instanceof StepFailed) return again;
        throw again;
      });
      if (released instanceof StepFailed) this.#onAbandoned(execution.name);
      this.#end(execution, 'FAILED');
    }
  }

  async #round(execution: Execution): Promise<void> {
    const functions = this.#functions;
    const frozen = await this.#step(execution, 'Freeze', () => functions.freeze(execution.input));
    if (frozen.outcome !== 'frozen') return;
    const { manifestKey, judged, lossCells, measureCells, levels } = functions.asPlanned(frozen);
    if (judged) {
      await this.#map(execution, 'Losses', lossCells, (cell) => functions.losses({ manifestKey, cell }));
      await this.#map(execution, 'Measure', measureCells, (cell) => functions.measure({ manifestKey, cell }));
      await this.#step(execution, 'Judge', () => functions.judge({ manifestKey }));
    }
    for (const [level, cells] of levels.entries()) {
      await this.#map(execution, `Aggregate ${level}`, cells, (cell) =>
        functions.aggregate({ manifestKey, level, cell }),
      );
    }
    const published = await this.#step(execution, 'Publish', () => functions.publish({ manifestKey }));
    const evaluation = await this.#step(execution, 'Evaluate', () => functions.evaluate(published)).catch(
      (error: unknown) => {
        if (error instanceof StepFailed) return null;
        throw error;
      },
    );
    const input = { ...published, evaluation };
    const onSeal = this.#onSeal;
    await this.#step(execution, 'Seal', () => functions.seal(input)).then(
      () => onSeal(published.version, 'sealed'),
      (error: unknown) => {
        if (!(error instanceof StepFailed)) throw error;
        onSeal(published.version, 'given up');
      },
    );
    await this.#step(execution, 'Settle', () => functions.settle(input));
  }

  /** All cells at once; when one fails for good, what the others have begun goes on unwatched. */
  async #map(execution: Execution, label: string, count: number, run: (cell: number) => Promise<Outcome<unknown>>) {
    const over = { isFailed: false };
    await Promise.all(
      Array.from({ length: count }, (_, cell) =>
        this.#step(execution, label, () => run(cell), over).catch((error: unknown) => {
          over.isFailed = true;
          throw error;
        }),
      ),
    );
  }

  /** Calls a function until it answers or the definition gives up. */
  async #step<Result>(
    execution: Execution,
    label: string,
    run: () => Promise<Outcome<Result>>,
    map = { isFailed: false },
  ): Promise<Result> {
    const tries = retriers.map(() => 0);
    for (;;) {
      if (execution.status !== 'RUNNING' || map.isFailed) throw new ExecutionOver();
      const outcome = await run();
      if (execution.status !== 'RUNNING' || map.isFailed) throw new ExecutionOver();
      if (outcome.kind === 'returned') return outcome.value;
      const { code, message } = errorOf(outcome);
      const at = retriers.findIndex(({ ErrorEquals }) => ErrorEquals.some((e) => e === code || e === 'States.ALL'));
      const { MaxAttempts, IntervalSeconds = 1, BackoffRate = 2, MaxDelaySeconds = 60 } = retriers[at];
      if (tries[at] >= MaxAttempts) throw new StepFailed(code, `${label}: ${message}`);
      const delayMs = 1000 * Math.min(MaxDelaySeconds, IntervalSeconds * BackoffRate ** tries[at]++);
      await this.#time.sleep(delayMs * this.#random.next());
    }
  }
}

function errorOf(outcome: Outcome<unknown>): { code: string; message: string } {
  if (outcome.kind !== 'threw') return { code: 'Lambda.Unknown', message: 'the function died' };
  const { error } = outcome;
  if (!(error instanceof Error)) return { code: 'Error', message: String(error) };
  const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name;
  return { code, message: error.message };
}
