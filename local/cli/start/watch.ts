import { FlError } from '../../../shared/core/errors.ts';
import type { TaskResponse, VersionResponse } from '../../../shared/wire/api.ts';
import { realClock } from '../../fleet/real-clock.ts';
import type { OperatorApi } from '../operator-api.ts';

const pauseMs = 700;
/** A run that publishes nothing for this long will not publish any more. */
const stallMs = 180_000;

/** Follows a task and tells each change. */
export class TaskWatcher {
  readonly #api: OperatorApi;
  readonly #task: string;
  readonly #onChange: (state: TaskResponse, versions: readonly VersionResponse[]) => void;
  #versions: readonly VersionResponse[] = [];
  #progressAtMs = realClock.now();
  #lookedAtMs = 0;

  constructor(
    api: OperatorApi,
    task: string,
    onChange: (state: TaskResponse, versions: readonly VersionResponse[]) => void,
  ) {
    this.#api = api;
    this.#task = task;
    this.#onChange = onChange;
  }

  /** Looks again and again. @returns the task as it ended. @throws as `look` does */
  async untilEnd(signal: AbortSignal): Promise<TaskResponse> {
    for (;;) {
      const state = await this.look(signal);
      if (state.state === 'completed' || state.state === 'stopped') return state;
      await realClock.sleep(pauseMs, signal);
    }
  }

  /** Looks if the last time is long enough ago. @throws as `look` does */
  async lookIfDue(signal: AbortSignal): Promise<void> {
    if (realClock.now() - this.#lookedAtMs >= pauseMs) await this.look(signal);
  }

  /** @throws {FlError} `task-suspended`, or `run-stalled` if nothing was published for three minutes */
  async look(signal: AbortSignal): Promise<TaskResponse> {
    const state = await this.#api.task(this.#task, signal);
    this.#lookedAtMs = realClock.now();
    if (state.version >= this.#versions.length) {
      this.#versions = await this.#api.versions(this.#task, signal);
      this.#progressAtMs = realClock.now();
    } else if (state.latest?.evaluation && !this.#versions.at(-1)?.evaluation) {
      this.#versions = [...this.#versions.slice(0, -1), state.latest];
    }
    this.#onChange(state, this.#versions);
    if (state.state === 'suspended') {
      throw new FlError(
        'task-suspended',
        `task "${this.#task}" is suspended: ${state.stateReason ?? 'no reason given'}`,
      );
    }
    if (state.state === 'running' && realClock.now() - this.#progressAtMs > stallMs) {
      const { buffered, open } = state.updates;
      throw new FlError(
        'run-stalled',
        `no version after ${state.version} for ${stallMs / 1000} s; ${buffered} updates buffered, ${open} tickets open`,
      );
    }
    return state;
  }
}
