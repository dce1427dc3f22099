import { FlError } from '../core/errors.ts';
import type { ClientId } from '../core/names.ts';
import type { ClientRecord } from '../ports/identity-store.ts';
import type { ClientResponse, InviteRequest, InviteResponse, ListClientsResponse } from '../wire/identity/api.ts';
import { codeDigest } from './enrol.ts';
import type { IdentityPorts } from './ports.ts';

/** Clients that one answer lists. */
const pageSize = 200;

/** Makes a one-time code for each client; their names may be new or known. */
export async function invite(
  { identities, codes, clock }: Pick<IdentityPorts, 'identities' | 'codes' | 'clock'>,
  { clients, lifetimeMs }: InviteRequest,
): Promise<InviteResponse> {
  const expiresAtMs = clock.now() + lifetimeMs;
  const invitations = clients.map((client) => ({ client, code: codes.next(), expiresAtMs }));
  const records = invitations.map(async ({ client, code }) => ({
    client,
    codeDigest: await codeDigest(code),
    expiresAtMs,
  }));
  await identities.invite(await Promise.all(records));
  return { invitations };
}

/**
 * Shuts a client out: its requests are refused from now on, its open tickets end, and updates that are under way go into
 * quarantine. Repeatable; doing it again makes up for a first time that died half-way.
 * @throws {FlError} `client-unknown`
 */
export async function revokeClient(
  { identities, rounds }: Pick<IdentityPorts, 'identities' | 'rounds'>,
  client: ClientId,
  reason: string,
): Promise<void> {
  if ((await identities.revoke(client, reason)) === 'unknown') throw unknown(client);
  for (const { task } of await rounds.tasks()) {
    const open = await rounds.openTicket(task, client);
    const ticket = open && (await rounds.ticket(open));
    if (ticket) await rounds.expireTicket(ticket, `the client was revoked: ${reason}`);
  }
}

/** @throws {FlError} `client-unknown` */
export async function showClient(
  { identities }: Pick<IdentityPorts, 'identities'>,
  client: ClientId,
): Promise<ClientResponse> {
  const record = await identities.client(client);
  if (!record) throw unknown(client);
  return shown(record);
}

/** A page of clients by name. @param after the last name of the page before */
export async function listClients(
  { identities }: Pick<IdentityPorts, 'identities'>,
  after?: ClientId,
): Promise<ListClientsResponse> {
  const records = await identities.clients(pageSize, after);
  return { clients: records.map(shown), ...(records.length === pageSize && { next: records[pageSize - 1].client }) };
}

function shown({ keys, ...record }: ClientRecord): ClientResponse {
  return { ...record, keys: keys.map(({ kid, publicKey, addedAtMs }) => ({ kid, x: publicKey.x, addedAtMs })) };
}

function unknown(client: ClientId): FlError {
  return new FlError('client-unknown', `there is no client "${client}"`);
}
