import type { Codec } from '../core/codec/codec.ts';
import type { ClientId, TaskId, TicketId } from '../core/names.ts';
import type {
  Artifact,
  ArtifactName,
  Metrics,
  QuarantineRecord,
  TaskState,
  TicketState,
  VersionResponse,
} from '../wire/api.ts';
import type { Encoding } from '../wire/codec-config.ts';
import type { TaskConfig } from '../wire/task-config.ts';
import type { RoundInput } from '../wire/workflow.ts';

/** Where a version's bytes lie in the model store. */
export interface ModelLocation {
  readonly key: string;
  /** Where the flat vector starts in the file, in bytes. */
  readonly dataOffset: number;
  /** P, in float32 elements. */
  readonly parameters: number;
  /** State of the server optimizer and of an asynchronous method, laid out like the model: name -> file. */
  readonly stateKeys?: Readonly<Record<string, string>>;
  /** What the rules remember from version to version. */
  readonly ruleStateKey?: string;
  /** Which updates an asynchronous method keeps. */
  readonly cacheKey?: string;
}

export interface TaskRecord {
  readonly task: TaskId;
  readonly config: TaskConfig;
  readonly artifacts: Readonly<Partial<Record<ArtifactName, Artifact>>>;
  readonly state: TaskState;
  readonly stateReason?: string;
  readonly createdAtMs: number;
  /** The newest published version; -1 in a draft. */
  readonly version: number;
  /** The newest version whose updates have left the buffer; trails `version` between publish and settle. */
  readonly settledVersion: number;
  /**
   * Number of the next execution, and the fencing token of rounds: a name is never used twice, and only a round of the
   * current attempt can publish. It only grows.
   */
  readonly attempt: number;
  /** Rounds that failed one after the other. */
  readonly failures: number;
  /** When the round that fills now starts with what it has. */
  readonly deadline?: { readonly version: number; readonly atMs: number };
  /** A note that is due then lies in the arrivals queue; absent if none need. */
  readonly noteAtMs?: number;
  readonly model?: ModelLocation;
}

export interface UploadBinding {
  readonly key: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly examples: number;
  readonly metrics: Metrics;
  /** As declared; absent for plain float32. */
  readonly codec?: Codec;
  readonly agent?: string;
  /** The client's signature over it, a JWS. */
  readonly statement: string;
}

export interface TicketRecord {
  readonly ticket: TicketId;
  readonly task: TaskId;
  readonly client: ClientId;
  readonly baseVersion: number;
  readonly state: TicketState;
  readonly issuedAtMs: number;
  readonly expiresAtMs: number;
  /** Tickets in a row that the client had let run out when it got this one. */
  readonly missed?: number;
  readonly upload?: UploadBinding;
  readonly reason?: string;
  readonly version?: number;
}

/** How a client has used its tickets lately. */
export interface Pace {
  /** Tickets in a row that ran out without an update. */
  readonly missed: number;
  readonly lastMissedAtMs: number;
}

/** An admitted update that waits for a round. */
export interface BufferEntry {
  /** Order of arrival: sorts as text. */
  readonly sequence: string;
  readonly ticket: TicketId;
  readonly client: ClientId;
  readonly baseVersion: number;
  readonly key: string;
  readonly etag: string;
  /** Where the flat vector starts in the update's file, in bytes. */
  readonly dataOffset: number;
  /** How the vector is encoded; absent for plain float32. */
  readonly encoding?: Encoding;
  readonly sha256: string;
  readonly examples: number;
  readonly metrics: Metrics;
  readonly agent?: string;
  /** The client's signature over it, a JWS. */
  readonly statement: string;
}

/** The lineage record of a version. */
export interface VersionRecord
  extends Omit<VersionResponse, 'modelUrl' | 'manifestUrl' | 'packageUrls' | 'contributors'> {
  readonly model: ModelLocation;
  readonly manifestKey?: string;
  /** How the version differs from the one before lies in so many files of that attempt; absent where it is not kept. */
  readonly delta?: { readonly attempt: number; readonly tiles: number };
  /** Updates aggregated into this version and all before it. */
  readonly aggregatedTotal: number;
}

/** Counters that a task keeps as tickets change state. */
export interface TicketCounts {
  readonly issued: number;
  readonly open: number;
  readonly admitted: number;
  readonly quarantined: number;
  readonly expired: number;
}

/**
 * The state of tasks, tickets, the buffer and the chain of versions. Every method is atomic: it happens whole or not at
 * all, whoever else writes at the same time, and reads see what was written before. The laws rest on these conditions.
 */
export interface RoundStore {
  /** Puts a draft unless the name is taken. */
  createTask(record: TaskRecord): Promise<'created' | 'exists'>;
  task(task: TaskId): Promise<TaskRecord | undefined>;
  tasks(): Promise<readonly TaskRecord[]>;
  /**
   * Moves the task to `to` if it is in one of `from`; resets the failure count. To `completed` also moves on to the next
   * attempt: no round that is under way can publish any more.
   */
  setTaskState(task: TaskId, from: readonly TaskState[], to: TaskState, reason: string): Promise<'done' | 'refused'>;

  /**
   * Puts a ticket if fewer than `cap` are open and its client holds none. `conflict`: a race was lost, try again.
   * @param admitted for a cohort: `full` unless exactly so many updates have been admitted and `baseVersion` is the newest
   */
  issueTicket(
    record: TicketRecord,
    cap: number,
    admitted?: number,
  ): Promise<'issued' | 'full' | 'client-busy' | 'conflict'>;
  ticket(ticket: TicketId): Promise<TicketRecord | undefined>;
  /** The ticket that the client holds, issued or uploading. */
  openTicket(task: TaskId, client: ClientId): Promise<TicketId | undefined>;
  /** Every ticket that the client was given and that is not forgotten. */
  ticketsOf(client: ClientId): Promise<readonly TicketRecord[]>;
  /** Deletes a ticket that has ended, and its quarantine record. Repeatable. */
  forgetTicket(record: TicketRecord): Promise<void>;
  /** issued -> uploading, bound to one upload; the same binding again is `bound`. */
  bindUpload(record: TicketRecord, upload: UploadBinding): Promise<'bound' | 'refused'>;
  /** Absent for a client whose last ticket brought an update, or that never had one. */
  pace(task: TaskId, client: ClientId): Promise<Pace | undefined>;
  /** uploading -> admitted, and the entry enters the buffer; the client's pace is forgotten. `already`: the ticket has left `uploading`. */
  admit(record: TicketRecord, entry: BufferEntry): Promise<'admitted' | 'already'>;
  /**
   * The ticket, which must be in `from`, ends in quarantine; from `admitted` its `entry` leaves the buffer.
   * @param round only if that is the round to come, and then moves on to the next attempt: none that holds the update publishes
   */
  quarantine(
    record: TicketRecord,
    from: 'uploading' | 'expired' | 'admitted',
    quarantine: QuarantineRecord,
    entry?: Pick<BufferEntry, 'sequence'>,
    round?: RoundInput,
  ): Promise<'quarantined' | 'already'>;
  /**
   * Ends every ticket of the task that ran out before `nowMs` without an upload, and `uploadGraceMs` later also those
   * whose upload was announced and never arrived.
   * @param oldestBase ends tickets for older versions too. @returns how many
   */
  expireTickets(task: TaskId, nowMs: number, oldestBase?: number): Promise<number>;
  /**
   * Ends one ticket, issued or uploading, that can no longer count. `already`: it has ended.
   * @param missedAtMs its time ran out then: the client's pace counts it
   */
  expireTicket(record: TicketRecord, reason: string, missedAtMs?: number): Promise<'expired' | 'already'>;
  counts(task: TaskId): Promise<TicketCounts>;
  quarantined(task: TaskId, limit: number): Promise<readonly QuarantineRecord[]>;

  /** The buffer in order of arrival, the first `limit` entries. */
  buffer(task: TaskId, limit: number): Promise<readonly BufferEntry[]>;
  /** Sets the deadline of the round that makes `version + 1`, unless it has one. */
  setDeadline(task: TaskId, version: number, atMs: number): Promise<void>;
  /** Remembers that a note that is due at `atMs` was left, unless one is known that is due from `nowMs` to then. */
  setNote(task: TaskId, atMs: number, nowMs: number): Promise<void>;
  /** Forgets the note that is due at `atMs` or before: it has come. `refused`: a later one is known. */
  clearNote(task: TaskId, atMs: number): Promise<'done' | 'refused'>;
  /** Moves on to the next attempt if `round` is still the one to come; `failed` counts a failure. */
  nextAttempt(round: RoundInput, outcome: 'failed' | 'not-ready'): Promise<'done' | 'refused'>;

  /** A round has gone through to its end: failures in a row start again at zero. */
  clearFailures(task: TaskId): Promise<void>;

  /** Moves the pointer `version - 1 -> version` and puts the record, or neither; only while `attempt` is the current one. */
  publish(task: TaskId, record: VersionRecord, attempt: number): Promise<'published' | 'superseded'>;
  version(task: TaskId, version: number): Promise<VersionRecord | undefined>;
  versions(task: TaskId): Promise<readonly VersionRecord[]>;
  /** Takes the updates of a published version out of the buffer; their tickets become `aggregated`. Repeatable. */
  consume(task: TaskId, version: number, updates: readonly Consumed[]): Promise<void>;
  /**
   * Once: `refused` if the version has a seal, is not there, or has been evaluated since.
   * @param evaluation what the seal says of it
   */
  setSeal(
    task: TaskId,
    version: number,
    seal: string,
    evaluation: VersionRecord['evaluation'],
  ): Promise<'sealed' | 'refused'>;
  /** Once, and not where the version is sealed: nothing is done then. */
  setEvaluation(task: TaskId, version: number, evaluation: NonNullable<VersionRecord['evaluation']>): Promise<void>;
}

/** An upload may be done in time and be reported late: S3's event waits in the queue. */
export const uploadGraceMs = 10 * 60_000;

/** What `consume` needs to know of an update. */
export interface Consumed {
  readonly ticket: TicketId;
  readonly sequence: string;
}
