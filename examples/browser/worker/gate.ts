/** Where training waits while it is paused. */
export class Gate {
  #opening: PromiseWithResolvers<void> | undefined;

  close(): void {
    this.#opening ??= Promise.withResolvers();
  }

  open(): void {
    this.#opening?.resolve();
    this.#opening = undefined;
  }

  /** Resolves at once while it is open, and otherwise when it opens. */
  async pass(): Promise<void> {
    while (this.#opening) await this.#opening.promise;
  }
}
