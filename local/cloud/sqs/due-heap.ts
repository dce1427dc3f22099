/** A priority queue by time: the entry that is due first comes out first. */
export class DueHeap<T> {
  readonly #entries: { readonly atMs: number; readonly value: T }[] = [];

  get size(): number {
    return this.#entries.length;
  }

  /** When the first entry is due, in epoch milliseconds. */
  get nextMs(): number | undefined {
    return this.#entries[0]?.atMs;
  }

  push(atMs: number, value: T): void {
    const entries = this.#entries;
    let at = entries.push({ atMs, value }) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (entries[parent].atMs <= entries[at].atMs) break;
      this.#swap(at, parent);
      at = parent;
    }
  }

  /** Takes the first entry if it is due at `nowMs`. */
  popDue(nowMs: number): { readonly atMs: number; readonly value: T } | undefined {
    const entries = this.#entries;
    const first = entries[0];
    if (!first || first.atMs > nowMs) return undefined;
    const last = entries.pop();
    if (entries.length > 0 && last) {
      entries[0] = last;
      this.#sink();
    }
    return first;
  }

  clear(): void {
    this.#entries.length = 0;
  }

  #sink(): void {
    const entries = this.#entries;
    for (let at = 0; ; ) {
      const left = 2 * at + 1;
      if (left >= entries.length) return;
      const right = left + 1;
      const smaller = right < entries.length && entries[right].atMs < entries[left].atMs ? right : left;
      if (entries[at].atMs <= entries[smaller].atMs) return;
      this.#swap(at, smaller);
      at = smaller;
    }
  }

  #swap(a: number, b: number): void {
    const entries = this.#entries;
    const held = entries[a];
    entries[a] = entries[b];
    entries[b] = held;
  }
}
