import type { TaskId } from '../../../shared/core/names.ts';
import type { Consumed, TicketRecord, VersionRecord } from '../../../shared/ports/round-store.ts';
import { MemoryObjectStore } from '../../memory/memory-object-store.ts';
import { MemoryRoundStore } from '../../memory/memory-round-store.ts';
import { hashOf, type Journal } from './journal.ts';

/** An object store in memory that keeps the journal. */
export class RecordedObjectStore extends MemoryObjectStore {
  readonly #journal: Journal;

  /** @param chunkBytes pieces that streams come in */
  constructor(journal: Journal, chunkBytes: number) {
    super(chunkBytes);
    this.#journal = journal;
  }

  override async createOnce(key: string, bytes: Uint8Array) {
    this.#journal.wrote(key, bytes);
    if (this.#journal.removed.has(key)) this.#journal.rewritten.add(key);
    return super.createOnce(key, bytes);
  }

  override async remove(keys: readonly string[]) {
    for (const key of keys) this.#journal.removed.add(key);
    return super.remove(keys);
  }

  override async putPart(key: string, uploadId: string, partNumber: number, bytes: Uint8Array) {
    await super.putPart(key, uploadId, partNumber, bytes);
    this.#journal.wrote(`${key} ${uploadId} part ${partNumber}`, bytes);
  }
}

/** The round store in memory that keeps the journal, with the parts of what DynamoDB cannot do in one write. */
export class RecordedRoundStore extends MemoryRoundStore {
  readonly #journal: Journal;
  readonly #models: MemoryObjectStore;

  constructor(journal: Journal, models: MemoryObjectStore) {
    super();
    this.#journal = journal;
    this.#models = models;
  }

  override async publish(task: TaskId, record: VersionRecord, attempt: number) {
    const outcome = await super.publish(task, record, attempt);
    if (outcome === 'published') this.#journal.publications.push(this.#publicationOf(record));
    return outcome;
  }

  override async setSeal(...[task, version, seal, evaluation]: Parameters<MemoryRoundStore['setSeal']>) {
    const outcome = await super.setSeal(task, version, seal, evaluation);
    if (outcome === 'sealed') this.#journal.seals.push({ version, seal });
    return outcome;
  }

  #publicationOf(record: VersionRecord) {
    const { evaluation: _, seal: __, ...kept } = record;
    const { model, manifestKey } = record;
    const keys = [model.key, ...Object.values(model.stateKeys ?? {}), model.ruleStateKey, model.cacheKey, manifestKey];
    const files: Record<string, string> = {};
    for (const key of keys) {
      const bytes = key === undefined ? undefined : this.#models.objects.get(key);
      if (key !== undefined) files[key] = bytes ? hashOf(bytes) : 'missing';
    }
    return { version: record.version, record: JSON.stringify(kept), files };
  }

  /** The first half of `consume`: one transaction of it. */
  async consumeBatch(task: TaskId, version: number, updates: readonly Consumed[]): Promise<void> {
    for (const { ticket } of updates) {
      const state = this.tickets.get(ticket)?.state;
      if (state !== 'admitted' && state !== 'aggregated') throw new Error(`consume-refused: ${ticket} is ${state}`);
    }
    const settled = this.shelves.get(task)?.record.settledVersion ?? -1;
    // No pause before the settled version is put back: the whole is one write.
    const consumed = super.consume(task, version, updates);
    const shelf = this.shelves.get(task);
    if (shelf) shelf.record = { ...shelf.record, settledVersion: settled };
    return consumed;
  }

  /** The second half of `consume`. */
  markSettled(task: TaskId, version: number): Promise<void> {
    return super.consume(task, version, []);
  }

  /** What `expireTickets` ends, one ticket after the other. */
  async listOverdue(task: TaskId, nowMs: number, oldestBase?: number): Promise<readonly TicketRecord[]> {
    return this.overdue(task, nowMs, oldestBase);
  }
}
