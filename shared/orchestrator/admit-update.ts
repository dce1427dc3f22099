import { FlError } from '../core/errors.ts';
import type { BufferEntry, TaskRecord, TicketRecord } from '../ports/round-store.ts';
import { checkContent } from './check-content.ts';
import { artifactKey, ticketOfKey } from './keys.ts';
import type { Ports } from './ports.ts';
import type { LayoutCache } from './read-object.ts';
import { startRoundIfReady } from './start-round.ts';

/** An object that S3 says has been created. */
export interface Arrival {
  readonly key: string;
  readonly etag: string;
  readonly bytes: number;
}

type AdmitPorts = Pick<
  Ports,
  'rounds' | 'models' | 'updates' | 'queue' | 'starter' | 'gauge' | 'clock' | 'telemetry' | 'compressors' | 'clients'
>;

/**
 * Checks an uploaded update and admits it to the buffer, or puts it in quarantine with the reason. Events come at least
 * once and in any order: a repeated one changes nothing, but looks again whether a round is to start, in case the first
 * one died before it did.
 */
export async function admitUpdate(ports: AdmitPorts, layouts: LayoutCache, arrival: Arrival): Promise<void> {
  const ticketId = ticketOfKey(arrival.key);
  const ticket = ticketId && (await ports.rounds.ticket(ticketId));
  const task = ticket && (await ports.rounds.task(ticket.task));
  if (!ticket || !task) {
    await ports.updates.remove([arrival.key]); // Nobody was given this key: no task to account for it.
    return;
  }
  if (ticket.state === 'admitted') {
    await startRoundIfReady(ports, task.task);
    return;
  }
  const from = ticket.state;
  if (from !== 'uploading' && from !== 'expired') return;
  if (task.state !== 'running') {
    await ports.rounds.expireTicket(ticket, `the task is ${task.state}`);
    return;
  }
  try {
    const entry = await inspect(ports, layouts, task, ticket, arrival);
    if ((await ports.rounds.admit(ticket, entry)) === 'admitted') {
      ports.telemetry.record(task.task, { UpdatesAdmitted: 1, Staleness: task.version - ticket.baseVersion });
    }
  } catch (error) {
    if (!(error instanceof FlError) || error.retry !== 'never') throw error;
    await ports.rounds.quarantine(ticket, from, {
      ticket: ticket.ticket,
      client: ticket.client,
      reason: error.code,
      // The record is one item of a store, and is shown to people.
      detail: error.message.slice(0, 1_000).toWellFormed(),
      atMs: ports.clock.now(),
    });
    // The bytes stay as evidence until the bucket's lifecycle rule takes them.
    ports.telemetry.record(task.task, { UpdatesQuarantined: 1 }, { reason: error.code });
  }
  await startRoundIfReady(ports, task.task);
}

/** @throws {FlError} with `retry: 'never'` for every reason to refuse the update */
async function inspect(
  ports: AdmitPorts,
  layouts: LayoutCache,
  task: TaskRecord,
  ticket: TicketRecord,
  arrival: Arrival,
): Promise<BufferEntry> {
  if (!(await ports.clients.isActive(ticket.client))) {
    throw new FlError('client-revoked', 'the client was revoked before its update came');
  }
  if (ticket.state === 'expired' || !ticket.upload) {
    throw new FlError('ticket-expired', 'the update came after its ticket had run out');
  }
  const staleness = task.version - ticket.baseVersion;
  const { maxStaleness } = task.config.round;
  if (staleness > maxStaleness) throw tooStale(staleness, maxStaleness);
  const layout = await layouts.of(ticket.task, artifactKey(ticket.task, 'initial.safetensors'));
  const content = await checkContent(ports, { layout, ticket, upload: ticket.upload }, arrival);
  return {
    sequence: `${String(ports.clock.now()).padStart(15, '0')}-${ticket.ticket}`,
    ticket: ticket.ticket,
    client: ticket.client,
    baseVersion: ticket.baseVersion,
    key: arrival.key,
    etag: arrival.etag,
    ...content,
    sha256: ticket.upload.sha256,
    examples: ticket.upload.examples,
    metrics: ticket.upload.metrics,
    agent: ticket.upload.agent,
    statement: ticket.upload.statement,
  };
}

export function tooStale(staleness: number, maxStaleness: number): FlError {
  return new FlError('too-stale', `${staleness} versions behind; this task takes at most ${maxStaleness}`);
}
