import type { ClientId, TaskId, TicketId } from '../../shared/core/names.ts';
import type {
  BufferEntry,
  Consumed,
  Pace,
  RoundStore,
  TaskRecord,
  TicketCounts,
  TicketRecord,
  UploadBinding,
  VersionRecord,
} from '../../shared/ports/round-store.ts';
import { uploadGraceMs } from '../../shared/ports/round-store.ts';
import type { QuarantineRecord, TaskState } from '../../shared/wire/api.ts';
import type { RoundInput } from '../../shared/wire/workflow.ts';
import { copy, stored } from './copy.ts';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

interface TaskShelf {
  record: TaskRecord;
  readonly counts: Mutable<TicketCounts>;
  readonly open: Map<ClientId, { ticket: TicketId; expiresAtMs: number }>;
  readonly buffer: Map<string, BufferEntry>;
  readonly versions: Map<number, VersionRecord>;
  readonly quarantine: QuarantineRecord[];
  readonly paces: Map<ClientId, Pace>;
}

/** The round store in memory: each method runs to its end before another begins, so each is atomic. */
export class MemoryRoundStore implements RoundStore {
  readonly shelves = new Map<TaskId, TaskShelf>();
  readonly tickets = new Map<TicketId, TicketRecord>();

  async createTask(record: TaskRecord) {
    if (this.shelves.has(record.task)) return 'exists' as const;
    const counts = { issued: 0, open: 0, admitted: 0, quarantined: 0, expired: 0 };
    const shelf = {
      record: stored(record),
      counts,
      open: new Map(),
      buffer: new Map(),
      versions: new Map(),
      quarantine: [],
      paces: new Map(),
    };
    this.shelves.set(record.task, shelf);
    return 'created' as const;
  }

  async task(task: TaskId) {
    return copy(this.shelves.get(task)?.record);
  }

  async tasks() {
    return [...this.shelves.values()].map(({ record }) => copy(record));
  }

  async setTaskState(task: TaskId, from: readonly TaskState[], to: TaskState, stateReason: string) {
    const { record } = this.#shelf(task);
    if (!from.includes(record.state)) return 'refused' as const;
    const attempt = record.attempt + (to === 'completed' ? 1 : 0);
    this.#change(task, { state: to, stateReason, failures: 0, attempt });
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
    this.tickets.set(record.ticket, stored(record));
    return 'issued' as const;
  }

  async ticket(ticket: TicketId) {
    return copy(this.tickets.get(ticket));
  }

  async openTicket(task: TaskId, client: ClientId) {
    return this.#shelf(task).open.get(client)?.ticket;
  }

  async ticketsOf(client: ClientId) {
    return [...this.tickets.values()].filter((record) => record.client === client).map((record) => copy(record));
  }

  async forgetTicket({ ticket, task }: TicketRecord) {
    this.tickets.delete(ticket);
    const { quarantine } = this.#shelf(task);
    const at = quarantine.findIndex((record) => record.ticket === ticket);
    if (at >= 0) quarantine.splice(at, 1);
  }

  async bindUpload({ ticket, task, client, expiresAtMs }: TicketRecord, upload: UploadBinding) {
    const record = this.#ticket(ticket);
    const bound = record.upload;
    const same = bound?.sha256 === upload.sha256 && bound.examples === upload.examples;
    const held = this.#shelf(task).open.get(client);
    const isOpen = record.state === 'issued' || (record.state === 'uploading' && same);
    if (!isOpen || held?.ticket !== ticket) return 'refused' as const;
    this.tickets.set(ticket, { ...record, state: 'uploading', upload: stored(upload) });
    held.expiresAtMs = expiresAtMs + uploadGraceMs;
    return 'bound' as const;
  }

  async admit({ ticket, task, client }: TicketRecord, entry: BufferEntry) {
    const record = this.#ticket(ticket);
    const { counts, open, buffer, paces } = this.#shelf(task);
    if (record.state !== 'uploading' || buffer.has(entry.sequence)) return 'already' as const;
    this.tickets.set(ticket, { ...record, state: 'admitted' });
    paces.delete(client);
    buffer.set(entry.sequence, stored(entry));
    open.delete(client);
    counts.open--;
    counts.admitted++;
    return 'admitted' as const;
  }

  async quarantine(
    { ticket, task, client }: TicketRecord,
    from: 'uploading' | 'expired' | 'admitted',
    quarantine: QuarantineRecord,
    entry?: Pick<BufferEntry, 'sequence'>,
    round?: RoundInput,
  ) {
    const record = this.#ticket(ticket);
    const shelf = this.#shelf(task);
    if (record.state !== from || (entry && !shelf.buffer.has(entry.sequence))) return 'already' as const;
    if (round) {
      if (!this.#isToCome(round)) return 'already' as const;
      this.#change(task, { attempt: round.attempt + 1 });
    }
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

  async expireTickets(task: TaskId, nowMs: number, oldestBase = 0) {
    const overdue = this.overdue(task, nowMs, oldestBase);
    for (const record of overdue) {
      const ranOut = record.baseVersion < oldestBase ? undefined : record.expiresAtMs;
      await this.expireTicket(record, 'ran out', ranOut);
    }
    return overdue.length;
  }

  /** What `expireTickets` ends. */
  overdue(task: TaskId, nowMs: number, oldestBase = 0): readonly TicketRecord[] {
    return [...this.#shelf(task).open.values()].flatMap(({ ticket, expiresAtMs }) => {
      const record = this.#ticket(ticket);
      return expiresAtMs <= nowMs || record.baseVersion < oldestBase ? record : [];
    });
  }

  async pace(task: TaskId, client: ClientId) {
    return copy(this.#shelf(task).paces.get(client));
  }

  async expireTicket({ ticket, task, client }: TicketRecord, reason: string, missedAtMs?: number) {
    const record = this.#ticket(ticket);
    const { open, counts, paces } = this.#shelf(task);
    if (record.state !== 'issued' && record.state !== 'uploading') return 'already' as const;
    this.tickets.set(ticket, { ...record, state: 'expired', reason });
    if (missedAtMs !== undefined) {
      const missed = (paces.get(client)?.missed ?? 0) + 1;
      paces.set(client, { missed, lastMissedAtMs: missedAtMs });
    }
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
    return copy(entries.slice(0, limit));
  }

  async setDeadline(task: TaskId, version: number, atMs: number) {
    const { record } = this.#shelf(task);
    if (record.version === version && record.deadline?.version !== version) {
      this.#change(task, { deadline: { version, atMs } });
    }
  }

  async setNote(task: TaskId, atMs: number, nowMs: number) {
    const { noteAtMs = Number.NaN } = this.#shelf(task).record;
    if (!(noteAtMs >= nowMs && noteAtMs <= atMs)) this.#change(task, { noteAtMs: atMs });
  }

  async clearNote(task: TaskId, atMs: number) {
    const { noteAtMs = atMs } = this.#shelf(task).record;
    if (noteAtMs > atMs) return 'refused' as const;
    this.#change(task, { noteAtMs: undefined });
    return 'done' as const;
  }

  async nextAttempt(round: RoundInput, outcome: 'failed' | 'not-ready') {
    if (!this.#isToCome(round)) return 'refused' as const;
    const { failures } = this.#shelf(round.task).record;
    const attempt = round.attempt + 1;
    this.#change(round.task, { attempt, failures: failures + (outcome === 'failed' ? 1 : 0) });
    return 'done' as const;
  }

  async clearFailures(task: TaskId) {
    this.#change(task, { failures: 0 });
  }

  async publish(task: TaskId, version: VersionRecord, attempt: number) {
    const { versions } = this.#shelf(task);
    if (!this.#isToCome({ task, version: version.version, attempt })) return 'superseded' as const;
    this.#change(task, { version: version.version, model: version.model, deadline: undefined });
    versions.set(version.version, stored(version));
    return 'published' as const;
  }

  async version(task: TaskId, version: number) {
    return copy(this.#shelf(task).versions.get(version));
  }

  async versions(task: TaskId) {
    return copy([...this.#shelf(task).versions.values()]);
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

  /** What somebody with access to the table could do. */
  replaceVersion(task: TaskId, record: VersionRecord): void {
    this.#shelf(task).versions.set(record.version, record);
  }

  async setSeal(task: TaskId, version: number, seal: string, evaluation: VersionRecord['evaluation']) {
    const { versions } = this.#shelf(task);
    const record = versions.get(version);
    if (!record || record.seal !== undefined || !record.evaluation !== !evaluation) return 'refused' as const;
    versions.set(version, { ...record, seal });
    return 'sealed' as const;
  }

  async setEvaluation(task: TaskId, version: number, evaluation: NonNullable<VersionRecord['evaluation']>) {
    const { versions } = this.#shelf(task);
    const record = versions.get(version);
    if (record && !record.evaluation && record.seal === undefined) versions.set(version, { ...record, evaluation });
  }

  #isToCome({ task, version, attempt }: RoundInput): boolean {
    const { record } = this.#shelf(task);
    return record.version === version - 1 && record.attempt === attempt;
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
