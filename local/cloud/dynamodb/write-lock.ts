/** Lets one task at a time through, in the order of asking. */
export class WriteLock {
  #last: Promise<unknown> = Promise.resolve();

  /** Runs `task` alone; its result or error is the caller's. */
  run<T>(task: () => Promise<T>): Promise<T> {
    const result = this.#last.then(task);
    this.#last = result.catch(() => undefined);
    return result;
  }
}
