import type { ClientId, TaskId, TicketId } from '../../shared/core/names.ts';
import type {
  BufferEntry,
  Consumed,
  RoundStore,
  TaskRecord,
  TicketCounts,
  TicketRecord,
  UploadBinding,
  VersionRecord,
} from '../../shared/ports/round-store.ts';
import { uploadGraceMs } from '../../shared/ports/round-store.ts';
import type { QuarantineRecord, TaskState } from '../../shared/wire/api.ts';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

interface TaskShelf {
  record: TaskRecord;
  readonly counts: Mutable<TicketCounts>;
  readonly open: Map<ClientId, { ticket: TicketId; expiresAtMs: number }>;
  readonly buffer: Map<string, BufferEntry>;
  readonly versions: Map<number, VersionRecord>;
  readonly quarantine: QuarantineRecord[];
}

/** The round store in memory: each method runs to its end before another begins, so each is atomic. */
export class MemoryRoundStore implements RoundStore {
  readonly shelves = new Map<TaskId, TaskShelf>();
  readonly tickets = new Map<TicketId, TicketRecord>();

  async createTask(record: TaskRecord) {
    if (this.shelves.has(record.task)) return 'exists' as const;
    const counts = { issued: 0, open: 0, admitted: 0, quarantined: 0, expired: 0 };
    const shelf = { record, counts, open: new Map(), buffer: new Map(), versions: new Map(), quarantine: [] };
    this.shelves.set(record.task, shelf);
    return 'created' as const;
  }

  async task(task: TaskId) {
    return structuredClone(this.shelves.get(task)?.record);
  }

  async tasks() {
    return [...this.shelves.values()].map(({ record }) => structuredClone(record));
  }

  async setTaskState(task: TaskId, from: readonly TaskState[], to: TaskState, stateReason: string) {
    const { record } = this.#shelf(task);
    if (!from.includes(record.state)) return 'refused' as const;
    this.#change(task, { state: to, stateReason, failures: 0 });
    return 'done' as const;
  }

  async issueTicket(record: TicketRecord, cap: number, admitted?: number) {
    const { record: task, counts, open } = this.#shelf(record.task);
    if (counts.open >= cap) return 'full' as const;
    const moved = counts.admitted !== admitted || task.version !== record.baseVersion;
    if (admitted !== undefined && moved) return 'full' as const;
    if (open.has(record.client)) return 'client-busy' as const;
    counts.open++;
    counts.issued++;
    open.set(record.client, { ticket: record.ticket, expiresAtMs: record.expiresAtMs });
    this.tickets.set(record.ticket, structuredClone(record));
    return 'issued' as const;
  }

  async ticket(ticket: TicketId) {
    return structuredClone(this.tickets.get(ticket));
  }

  async openTicket(task: TaskId, client: ClientId) {
    return this.#shelf(task).open.get(client)?.ticket;
  }

  async bindUpload({ ticket, task, client, expiresAtMs }: TicketRecord, upload: UploadBinding) {
    const record = this.#ticket(ticket);
    const bound = record.upload;
    const same = bound?.sha256 === upload.sha256 && bound.examples === upload.examples;
    const held = this.#shelf(task).open.get(client);
    const isOpen = record.state === 'issued' || (record.state === 'uploading' && same);
    if (!isOpen || held?.ticket !== ticket) return 'refused' as const;
    this.tickets.set(ticket, { ...record, state: 'uploading', upload: structuredClone(upload) });
    held.expiresAtMs = expiresAtMs + uploadGraceMs;
    return 'bound' as const;
  }

  async admit({ ticket, task, client }: TicketRecord, entry: BufferEntry) {
    const record = this.#ticket(ticket);
    const { counts, open, buffer } = this.#shelf(task);
    if (record.state !== 'uploading' || buffer.has(entry.sequence)) return 'already' as const;
    this.tickets.set(ticket, { ...record, state: 'admitted' });
    buffer.set(entry.sequence, structuredClone(entry));
    open.delete(client);
    counts.open--;
    counts.admitted++;
    return 'admitted' as const;
  }

  async quarantine(
    { ticket, task, client }: TicketRecord,
    from: 'uploading' | 'expired' | 'admitted',
    quarantine: QuarantineRecord,
    entry?: BufferEntry,
  ) {
    const record = this.#ticket(ticket);
    const shelf = this.#shelf(task);
    if (record.state !== from || (entry && !shelf.buffer.has(entry.sequence))) return 'already' as const;
    if (entry) shelf.buffer.delete(entry.sequence);
    if (from === 'uploading') {
      shelf.open.delete(client);
      shelf.counts.open--;
    }
    if (from === 'expired') shelf.counts.expired--;
    shelf.counts.quarantined++;
    this.tickets.set(ticket, { ...record, state: 'quarantined', reason: quarantine.reason });
    shelf.quarantine.unshift(quarantine);
    return 'quarantined' as const;
  }

  async expireTickets(task: TaskId, nowMs: number) {
    const overdue = [...this.#shelf(task).open.values()].filter(({ expiresAtMs }) => expiresAtMs <= nowMs);
    for (const { ticket } of overdue) await this.expireTicket(this.#ticket(ticket), 'ran out');
    return overdue.length;
  }

  async expireTicket({ ticket, task, client }: TicketRecord, reason: string) {
    const record = this.#ticket(ticket);
    const { open, counts } = this.#shelf(task);
    if (record.state !== 'issued' && record.state !== 'uploading') return 'already' as const;
    this.tickets.set(ticket, { ...record, state: 'expired', reason });
    open.delete(client);
    counts.open--;
    counts.expired++;
    return 'expired' as const;
  }

  async counts(task: TaskId) {
    return { ...this.#shelf(task).counts };
  }

  async quarantined(task: TaskId, limit: number) {
    return this.#shelf(task).quarantine.slice(0, limit);
  }

  async buffer(task: TaskId, limit: number) {
    const entries = [...this.#shelf(task).buffer.values()].sort((a, b) => (a.sequence < b.sequence ? -1 : 1));
    return structuredClone(entries.slice(0, limit));
  }

  async setDeadline(task: TaskId, version: number, atMs: number) {
    const { record } = this.#shelf(task);
    if (record.version === version && record.deadline?.version !== version) {
      this.#change(task, { deadline: { version, atMs } });
    }
  }

  async nextAttempt(task: TaskId, attempt: number, outcome: 'failed' | 'not-ready') {
    const { record } = this.#shelf(task);
    if (record.attempt !== attempt) return 'refused' as const;
    this.#change(task, { attempt: attempt + 1, failures: record.failures + (outcome === 'failed' ? 1 : 0) });
    return 'done' as const;
  }

  async clearFailures(task: TaskId) {
    this.#change(task, { failures: 0 });
  }

  async publish(task: TaskId, version: VersionRecord) {
    const { record, versions } = this.#shelf(task);
    if (record.version !== version.version - 1) return 'superseded' as const;
    this.#change(task, { version: version.version, model: version.model, deadline: undefined });
    versions.set(version.version, structuredClone(version));
    return 'published' as const;
  }

  async version(task: TaskId, version: number) {
    return structuredClone(this.#shelf(task).versions.get(version));
  }

  async versions(task: TaskId) {
    return structuredClone([...this.#shelf(task).versions.values()]);
  }

  async consume(task: TaskId, version: number, updates: readonly Consumed[]) {
    const { record, buffer } = this.#shelf(task);
    for (const { ticket, sequence } of updates) {
      const held = this.#ticket(ticket);
      if (held.state !== 'admitted' && held.state !== 'aggregated') throw new Error(`${ticket} is ${held.state}`);
      this.tickets.set(ticket, { ...held, state: 'aggregated', version });
      buffer.delete(sequence);
    }
    if (record.settledVersion < version) this.#change(task, { settledVersion: version });
  }

  async setEvaluation(task: TaskId, version: number, evaluation: NonNullable<VersionRecord['evaluation']>) {
    const { versions } = this.#shelf(task);
    const record = versions.get(version);
    if (record) versions.set(version, { ...record, evaluation });
  }

  #shelf(task: TaskId): TaskShelf {
    const shelf = this.shelves.get(task);
    if (!shelf) throw new Error(`no task ${task}`);
    return shelf;
  }

  #ticket(ticket: TicketId): TicketRecord {
    const record = this.tickets.get(ticket);
    if (!record) throw new Error(`no ticket ${ticket}`);
    return record;
  }

  #change(task: TaskId, changes: Partial<TaskRecord>): void {
    const shelf = this.#shelf(task);
    shelf.record = { ...shelf.record, ...changes };
  }
}
