import { FlError } from '../../../shared/core/errors.ts';
import type { TaskResponse, VersionResponse } from '../../../shared/wire/api.ts';
import { realClock } from '../../fleet/real-clock.ts';
import type { OperatorApi } from '../operator-api.ts';

const pauseMs = 700;
/** A run that publishes nothing for this long will not publish any more. */
const stallMs = 180_000;

/**
 * Follows a task until it ends, telling each change.
 * @returns the task as it ended
 * @throws {FlError} `task-suspended`, or `run-stalled` if nothing was published for three minutes
 */
export async function watchTask(
  api: OperatorApi,
  task: string,
  onChange: (state: TaskResponse, versions: readonly VersionResponse[]) => void,
  signal: AbortSignal,
): Promise<TaskResponse> {
  let versions: readonly VersionResponse[] = [];
  let progressAtMs = realClock.now();
  for (;;) {
    const state = await api.task(task, signal);
    if (state.version >= versions.length) {
      versions = await api.versions(task, signal);
      progressAtMs = realClock.now();
    } else if (state.latest?.evaluation && !versions.at(-1)?.evaluation) {
      versions = [...versions.slice(0, -1), state.latest];
    }
    onChange(state, versions);
    if (state.state === 'suspended') {
      throw new FlError('task-suspended', `task "${task}" is suspended: ${state.stateReason ?? 'no reason given'}`);
    }
    if (state.state === 'completed' || state.state === 'stopped') return state;
    if (realClock.now() - progressAtMs > stallMs) {
      const { buffered, open } = state.updates;
      throw new FlError(
        'run-stalled',
        `no version after ${state.version} for ${stallMs / 1000} s; ${buffered} updates buffered, ${open} tickets open`,
      );
    }
    await realClock.sleep(pauseMs, signal);
  }
}
