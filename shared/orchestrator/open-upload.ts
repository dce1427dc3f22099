import type { Codec } from '../core/codec/codec.ts';
import { FlError } from '../core/errors.ts';
import type { ClientId, TicketId } from '../core/names.ts';
import type { TicketRecord } from '../ports/round-store.ts';
import type { TicketStatusResponse, UploadRequest, UploadResponse } from '../wire/api.ts';
import { updateKey } from './keys.ts';
import type { Ports } from './ports.ts';
import { requirePublished } from './require-task.ts';

const plainCodec: Codec = { kind: 'float32', compress: 'none' };

/** A float32 update is its parameters and a header; a header larger than this is not one of ours. */
const headerAllowanceBytes = 1024 * 1024;

/** An upload that a client asks for, and who that is. */
export type ClientUpload = UploadRequest & { readonly client: ClientId };

/**
 * Binds a ticket to one upload, which the client has signed, and presigns it: exactly these bytes, once. Asking again for the same upload gives a
 * fresh URL, so that a client that lost the answer goes on.
 * @throws {FlError} `ticket-unknown`, `ticket-foreign`, `ticket-expired`, `ticket-used`, `update-too-large`,
 * `examples-too-many`, `codec-refused`, `statement-wrong`, `client-revoked`
 */
export async function openUpload(
  ports: Pick<Ports, 'rounds' | 'updates' | 'clock' | 'clients'>,
  ticketId: TicketId,
  request: ClientUpload,
): Promise<UploadResponse> {
  const ticket = await ownTicket(ports, ticketId, request.client);
  const { record, model } = await requirePublished(ports, ticket.task);
  const { config } = record;
  const nowMs = ports.clock.now();
  requireAlive(ticket);
  const isOpen = ticket.state === 'issued' || ticket.state === 'uploading';
  if (isOpen && nowMs >= ticket.expiresAtMs) {
    throw new FlError(
      'ticket-expired',
      `ticket ran out at ${new Date(ticket.expiresAtMs).toISOString()}: ask for another`,
    );
  }
  const maxBytes = model.parameters * 4 + headerAllowanceBytes;
  if (request.bytes > maxBytes) {
    throw new FlError('update-too-large', `${request.bytes} bytes; an update of this task has at most ${maxBytes}`);
  }
  if (request.examples > config.maxExamples) {
    throw new FlError(
      'examples-too-many',
      `${request.examples} examples; this task counts at most ${config.maxExamples}`,
    );
  }
  const key = updateKey(ticket.task, ticketId);
  const codec = request.codec ?? plainCodec;
  if (codec.kind !== config.codecs.upload.kind && !config.codecs.accept.includes(codec.kind)) {
    throw new FlError(
      'codec-refused',
      `this task takes ${[config.codecs.upload.kind, ...config.codecs.accept].join(', ')}, not ${codec.kind}`,
    );
  }
  const { client, statement, ...upload } = request;
  const { bytes, sha256, examples } = upload;
  const said = { sub: client, task: ticket.task, ticket: ticketId, baseVersion: ticket.baseVersion };
  await ports.clients.checkStatement(client, statement, { ...said, bytes, sha256, examples });
  if ((await ports.rounds.bindUpload(ticket, { ...upload, statement, key })) === 'refused') {
    const now = await ports.rounds.ticket(ticketId);
    if (now) requireAlive(now); // The task may have ended since.
    throw new FlError('ticket-used', `ticket is ${now?.state} with another update: a ticket is for one`);
  }
  return ports.updates.presignPut(key, request.bytes, request.sha256, ticket.expiresAtMs);
}

/** @throws {FlError} `ticket-expired` */
function requireAlive({ state, reason }: TicketRecord): void {
  if (state !== 'expired') return;
  throw new FlError('ticket-expired', `ticket has ended (${reason ?? 'it ran out'}): ask for another`);
}

/** What became of a ticket and its update. @throws {FlError} `ticket-unknown`, `ticket-foreign` */
export async function ticketStatus(
  ports: Pick<Ports, 'rounds'>,
  ticketId: TicketId,
  client: ClientId,
): Promise<TicketStatusResponse> {
  const { ticket, task, state, baseVersion, reason, version } = await ownTicket(ports, ticketId, client);
  return { ticket, task, state, baseVersion, reason, version };
}

async function ownTicket({ rounds }: Pick<Ports, 'rounds'>, id: TicketId, client: ClientId): Promise<TicketRecord> {
  const ticket = await rounds.ticket(id);
  if (!ticket) throw new FlError('ticket-unknown', 'there is no such ticket');
  if (ticket.client !== client) throw new FlError('ticket-foreign', `the ticket is not client "${client}"'s`);
  return ticket;
}
