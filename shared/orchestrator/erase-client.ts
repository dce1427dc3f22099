import { FlError } from '../core/errors.ts';
import type { ClientId } from '../core/names.ts';
import type { ErasureRecord } from '../ports/identity-store.ts';
import type { TicketRecord } from '../ports/round-store.ts';
import { revokeClient } from './clients.ts';
import { updateKey } from './keys.ts';
import type { IdentityPorts } from './ports.ts';

type ErasePorts = Pick<IdentityPorts, 'identities' | 'rounds' | 'updates' | 'clock'>;

/**
 * Deletes what is stored of a client: keys, tickets, quarantined and left-over updates. What a published version has
 * learned stays in it, and its manifest names the client: the record says which versions those are, until they are
 * unlearned. Updates that wait for a round are counted as pending, because a round may hold them already: they end in a
 * version or in quarantine, and erasing again finds them there.
 * @throws {FlError} `client-unknown`
 */
export async function eraseClient(ports: ErasePorts, client: ClientId): Promise<ErasureRecord> {
  const { identities, rounds, updates, clock } = ports;
  const before = await identities.erasure(client);
  const isKnown =
    (await identities.client(client)) !== undefined || (await identities.invitation(client)) !== undefined;
  if (!isKnown && !before) throw new FlError('client-unknown', `there is no client "${client}"`);
  if (isKnown) await revokeClient(ports, client, 'erased');

  const versions = new Map((before?.versions ?? []).map((each) => [`${each.task}/${each.version}`, each]));
  const ended: TicketRecord[] = [];
  let pending = 0;
  for (const ticket of await rounds.ticketsOf(client)) {
    const { task, version } = ticket;
    if (version !== undefined) versions.set(`${task}/${version}`, { task, version });
    if (await hasEnded(ports, ticket)) ended.push(ticket);
    else pending++;
  }
  await updates.remove(ended.map(({ task, ticket }) => updateKey(task, ticket)));
  const record: ErasureRecord = {
    client,
    erasedAtMs: clock.now(),
    updatesDeleted: (before?.updatesDeleted ?? 0) + ended.length,
    pending,
    versions: [...versions.values()],
  };
  // The record first: it holds what is not found again once the tickets are gone.
  await identities.putErasure(record);
  for (const ticket of ended) await rounds.forgetTicket(ticket);
  await identities.erase(client);
  return record;
}

/** Nobody comes back to the ticket: it is no round's, and its version is settled. */
async function hasEnded({ rounds }: Pick<ErasePorts, 'rounds'>, ticket: TicketRecord): Promise<boolean> {
  if (ticket.state === 'expired' || ticket.state === 'quarantined') return true;
  if (ticket.state !== 'aggregated' || ticket.version === undefined) return false;
  const task = await rounds.task(ticket.task);
  return task === undefined || task.settledVersion >= ticket.version;
}
