import type { TaskId } from '../core/names.ts';
import type { RoundStore, TaskRecord } from '../ports/round-store.ts';

interface Seen {
  readonly createdAtMs: number;
  /** Updates ever admitted, before the buffer was read. */
  readonly admitted: number;
  /** Updates in the buffer then. */
  readonly held: number;
}

/**
 * What one process knows of how full buffers are. A buffer grows by admissions alone, and each counts up one number: what a
 * buffer held once and what was admitted since are together the most that it can hold, for one read in place of K.
 */
export class BufferGauge {
  readonly #seen = new Map<TaskId, Seen>();

  /** @returns updates in the buffer, at most K */
  async count(rounds: RoundStore, { task, config, createdAtMs }: TaskRecord): Promise<number> {
    const { admitted } = await rounds.counts(task); // Read first: what is admitted in between is counted twice.
    const held = (await rounds.buffer(task, config.round.buffer)).length;
    if (held < config.round.buffer) this.#seen.set(task, { createdAtMs, admitted, held });
    else this.#seen.delete(task);
    return held;
  }

  /** @returns as many updates as the buffer holds, or more; undefined where it was never seen below K */
  async most(rounds: RoundStore, { task, createdAtMs }: TaskRecord): Promise<number | undefined> {
    const seen = this.#seen.get(task);
    if (seen?.createdAtMs !== createdAtMs) return undefined;
    const { admitted } = await rounds.counts(task);
    return seen.held + admitted - seen.admitted;
  }
}
