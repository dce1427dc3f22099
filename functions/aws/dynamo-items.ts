import type { ClientId, TaskId, TicketId } from '../../shared/core/names.ts';
import type { ClientRecord, ErasureRecord, InvitationRecord } from '../../shared/ports/identity-store.ts';
import type {
  BufferEntry,
  Pace,
  TaskRecord,
  TicketCounts,
  TicketRecord,
  VersionRecord,
} from '../../shared/ports/round-store.ts';
import type { QuarantineRecord } from '../../shared/wire/api.ts';

/** One table, a few kinds of item, each under its own key. */
export const keys = {
  task: (task: TaskId) => ({ pk: `TASK#${task}`, sk: 'TASK' }),
  taskListed: (task: TaskId) => ({ pk: 'TASKS', sk: task }),
  counts: (task: TaskId) => ({ pk: `TASK#${task}`, sk: 'COUNTS' }),
  version: (task: TaskId, version: number) => ({ pk: `VERSIONS#${task}`, sk: String(version).padStart(10, '0') }),
  ticket: (ticket: TicketId) => ({ pk: `TICKET#${ticket}`, sk: 'TICKET' }),
  /** Every ticket of a client, to find them by. */
  ticketOf: (client: ClientId, ticket: TicketId) => ({ pk: `TICKETS#${client}`, sk: ticket }),
  /** The ticket that a client holds: one at a time. */
  open: (task: TaskId, client: ClientId) => ({ pk: `OPEN#${task}`, sk: client }),
  pace: (task: TaskId, client: ClientId) => ({ pk: `PACE#${task}`, sk: client }),
  buffer: (task: TaskId, sequence: string) => ({ pk: `BUFFER#${task}`, sk: sequence }),
  quarantine: (task: TaskId, { atMs, ticket }: QuarantineRecord) => ({
    pk: `QUARANTINE#${task}`,
    sk: `${String(atMs).padStart(15, '0')}-${ticket}`,
  }),
  client: (client: ClientId) => ({ pk: `CLIENT#${client}`, sk: 'CLIENT' }),
  clientListed: (client: ClientId) => ({ pk: 'CLIENTS', sk: client }),
  erasure: (client: ClientId) => ({ pk: `ERASURE#${client}`, sk: 'ERASURE' }),
  invitation: (client: ClientId) => ({ pk: `INVITATION#${client}`, sk: 'INVITATION' }),
  requests: (client: ClientId, minute: number) => ({ pk: `REQUESTS#${client}`, sk: String(minute) }),
  nonce: (client: ClientId, nonce: string) => ({ pk: `NONCE#${client}#${nonce}`, sk: 'NONCE' }),
  /** Why the last try of an arrival failed, by its message id. */
  failure: (message: string) => ({ pk: `FAILURE#${message}`, sk: 'FAILURE' }),
};

/** Epoch seconds after which DynamoDB may delete an item that only explains the past; late deletion harms nothing. */
const keepSeconds = 90 * 24 * 3600;
export const ttlAfter = (atMs: number) => Math.ceil(atMs / 1000) + keepSeconds;

type Item = Record<string, unknown>;

/** Config and artifacts are stored as text: DynamoDB's maps do not keep the order of their keys. */
export function taskItem({ config, artifacts, ...record }: TaskRecord): Item {
  return { ...keys.task(record.task), ...record, config: JSON.stringify(config), artifacts: JSON.stringify(artifacts) };
}

export function readTask(item: Item): TaskRecord {
  const { pk: _, sk: __, config, artifacts, ...record } = item;
  return { ...record, config: JSON.parse(String(config)), artifacts: JSON.parse(String(artifacts)) } as TaskRecord;
}

export const readTicket = (item: Item) => withoutKeys(item) as TicketRecord;
export const readBufferEntry = (item: Item) => withoutKeys(item) as BufferEntry;
export const readVersion = (item: Item) => withoutKeys(item) as VersionRecord;
export const readPace = (item: Item): Pace => ({
  missed: Number(item.missed),
  lastMissedAtMs: Number(item.lastMissedAtMs),
});
export const readQuarantine = (item: Item) => withoutKeys(item) as QuarantineRecord;
export const readErasure = (item: Item) => withoutKeys(item) as ErasureRecord;
export const readInvitation = (item: Item) => withoutKeys(item) as InvitationRecord;

/** `revision` counts the changes of a client: whoever changes it again names the one that it has read. */
export function readClient({ revision, ...item }: Item): { readonly record: ClientRecord; readonly revision: number } {
  return { record: withoutKeys(item) as ClientRecord, revision: Number(revision) };
}

export function readCounts(item: Item | undefined): TicketCounts {
  const count = (name: string) => Number(item?.[name] ?? 0);
  return {
    issued: count('issued'),
    open: count('open'),
    admitted: count('admitted'),
    quarantined: count('quarantined'),
    expired: count('expired'),
  };
}

function withoutKeys({ pk: _, sk: __, ttl: ___, ...record }: Item): unknown {
  return record;
}
