import { beforeEach, describe, expect, test } from 'vitest';
import type { TicketId } from '../../../shared/core/names.ts';
import { admitUpdate } from '../../../shared/orchestrator/admit-update.ts';
import { invite, listClients, revokeClient, showClient } from '../../../shared/orchestrator/clients.ts';
import { issueTicket } from '../../../shared/orchestrator/issue-ticket.ts';
import { openUpload } from '../../../shared/orchestrator/open-upload.ts';
import { RegisteredClients } from '../../../shared/orchestrator/registered-clients.ts';
import { showTask } from '../../../shared/orchestrator/show-task.ts';
import { inviteSchema, revokeSchema } from '../../../shared/wire/identity/api.ts';
import { clientId, MemoryFederation, signed } from '../../memory/federation.ts';
import { MemoryIdentityStore } from '../../memory/memory-identity-store.ts';
import { jws, newSigner, type Signer } from '../../memory/signer.ts';

const filled = (value: number) => new Float32Array(11).fill(value);
let identities: MemoryIdentityStore;
beforeEach(() => {
  identities = new MemoryIdentityStore();
});

async function enrolled(name: string): Promise<Signer> {
  const signer = newSigner(name);
  const { client, kid, publicKey } = signer;
  const invitation = { client, codeDigest: kid, expiresAtMs: 1 };
  await identities.invite([invitation]);
  await identities.enrol(invitation, { kid, publicKey, addedAtMs: 7 });
  return signer;
}

describe('the operator', () => {
  test('invites clients by name, a code of its own for each', async () => {
    let made = 0;
    const codes = { next: () => String(made++).padStart(43, 'c') };
    const ports = { identities, codes, clock: { now: () => 1_000 } };
    const { invitations } = await invite(ports, inviteSchema.parse({ clients: ['a', 'b'] }));
    // Seven days, unless the operator says otherwise.
    expect(invitations).toEqual([
      { client: 'a', code: codeOf(0), expiresAtMs: 604_801_000 },
      { client: 'b', code: codeOf(1), expiresAtMs: 604_801_000 },
    ]);
  });
  const codeOf = (index: number) => String(index).padStart(43, 'c');

  test.each([
    ['nobody', { clients: [] }],
    ['one client twice', { clients: ['a', 'a'] }],
    ['a name that is a path', { clients: ['../a'] }],
    ['more than 100', { clients: Array.from({ length: 101 }, (_, i) => `c${i}`) }],
    ['for ever', { clients: ['a'], lifetimeMs: 31 * 24 * 3600 * 1000 }],
  ])('cannot invite %s', (_, request) => {
    expect(inviteSchema.safeParse(request).success).toBe(false);
  });

  test('sees a client and the keys that it has had', async () => {
    const { kid, publicKey } = await enrolled('a');
    expect(await showClient({ identities }, clientId('a'))).toEqual({
      client: 'a',
      state: 'active',
      enrolledAtMs: 7,
      keys: [{ kid, x: publicKey.x, addedAtMs: 7 }],
    });
    await expect(showClient({ identities }, clientId('b'))).rejects.toMatchObject({ code: 'client-unknown' });
  });

  test('lists clients by name, page after page', async () => {
    const names = Array.from({ length: 201 }, (_, i) => `c${String(i).padStart(3, '0')}`);
    for (const name of names) await enrolled(name);
    const first = await listClients({ identities });
    expect(first.clients).toHaveLength(200);
    expect(first.next).toBe('c199');
    const second = await listClients({ identities }, clientId('c199'));
    expect(second.clients.map(({ client }) => client)).toEqual(['c200']);
    expect(second.next).toBeUndefined();
  });
});

describe('a revocation', () => {
  test('ends the open tickets of the client in every task, and nobody else’s', async () => {
    const federation = new MemoryFederation();
    const tasks = [await federation.start({ task: 'one' }), await federation.start({ task: 'two' })];
    await enrolled('a');
    const ports = { ...federation.ports, identities };
    await issueTicket(ports, tasks[0], { client: clientId('a') });
    await federation.upload(tasks[1], 'a', filled(1));
    const { ticket } = await issueTicket(ports, tasks[1], { client: clientId('b') });
    for (const reason of ['stolen', 'stolen']) await revokeClient(ports, clientId('a'), reason);
    expect(await showClient(ports, clientId('a'))).toMatchObject({ state: 'revoked', reason: 'stolen' });
    for (const task of tasks) expect(await federation.rounds.counts(task)).toMatchObject({ expired: 1 });
    const ended = [...federation.rounds.tickets.values()].filter(({ client }) => client === 'a');
    expect(ended.map(({ state, reason }) => [state, reason])).toEqual([
      ['expired', 'the client was revoked: stolen'],
      ['expired', 'the client was revoked: stolen'],
    ]);
    expect(await federation.rounds.ticket(ticket as TicketId)).toMatchObject({ state: 'issued' });
  });

  test('of a client that nobody knows is an error, of one that was only invited is not', async () => {
    const { ports } = new MemoryFederation();
    const client = clientId('a');
    const all = { ...ports, identities };
    await expect(revokeClient(all, client, 'x')).rejects.toMatchObject({ code: 'client-unknown' });
    await identities.invite([{ client, codeDigest: 'd', expiresAtMs: 1 }]);
    await revokeClient(all, client, 'x');
    expect(await identities.invitation(client)).toBeUndefined();
  });

  test('has a reason also where the operator gives none', () => {
    expect(revokeSchema.parse({})).toEqual({ reason: 'revoked by the operator' });
  });

  test.each([
    ['before its ticket was ended', false],
    ['after its ticket was ended', true],
  ])('puts an update that comes %s in quarantine, and leaves what was admitted', async (_, ended) => {
    const federation = new MemoryFederation();
    const task = await federation.start({ task: 'demo', round: { buffer: 2 } });
    await federation.contribute(task, 'a', filled(1));
    const late = await federation.upload(task, 'a', filled(5));
    await enrolled('a');
    if (ended) await revokeClient({ ...federation.ports, identities }, clientId('a'), 'stolen');
    federation.revoked.add('a');
    await admitUpdate(federation.ports, federation.layouts, late);
    const { quarantine, updates } = await showTask(federation.ports, task);
    expect(quarantine).toMatchObject([{ client: 'a', reason: 'client-revoked' }]);
    expect(updates).toMatchObject({ admitted: 1, buffered: 1, quarantined: 1, expired: 0, open: 0 });
  });
});

describe('a statement', () => {
  const said = {
    sub: 'a',
    task: 'demo',
    ticket: 't'.repeat(43),
    baseVersion: 0,
    bytes: 300,
    sha256: 'f'.repeat(64),
    examples: 10,
  };
  const typ = 'tributary-update+jwt';
  const check = (statement: string) => new RegisteredClients(identities).checkStatement(clientId('a'), statement, said);

  test('by the client’s key over just this update is taken', async () => {
    const signer = await enrolled('a');
    await check(jws(signer, typ, { ...said, iat: 1_790_000_000 }));
  });

  test.each(Object.entries({ ...said, baseVersion: 1, bytes: 301, examples: 11 }))(
    'that says another %s is refused by name',
    async (name, value) => {
      const signer = await enrolled('a');
      const other = typeof value === 'string' ? `${value.slice(0, -1)}0` : value;
      await expect(check(jws(signer, typ, { ...said, [name]: other }))).rejects.toMatchObject({
        code: 'statement-wrong',
        message: expect.stringContaining(name),
      });
    },
  );

  test('that lacks a claim, is of another type, or by another key is refused', async () => {
    const signer = await enrolled('a');
    const bob = await enrolled('b');
    const refused = [
      jws(signer, typ, { ...said, sha256: undefined }),
      jws(signer, 'tributary-proof+jwt', said),
      jws(bob, typ, said),
      jws({ ...bob, kid: signer.kid }, typ, said),
      jws(signer, typ, said, { header: { kid: bob.kid } }),
      jws(signer, typ, said, { header: { alg: 'none' }, sign: () => new Uint8Array() }),
    ];
    for (const each of refused) await expect(check(each)).rejects.toMatchObject({ code: 'statement-wrong' });
  });

  test('by a key that was replaced, or of a client that was revoked or never came, is refused', async () => {
    const first = await enrolled('a');
    const second = newSigner('a');
    await identities.rotate(first.client, first.kid, { ...second, addedAtMs: 8 });
    await expect(check(jws(first, typ, said))).rejects.toMatchObject({ code: 'statement-wrong' });
    await check(jws(second, typ, said));
    await identities.revoke(first.client, 'stolen');
    await expect(check(jws(second, typ, said))).rejects.toMatchObject({ code: 'client-revoked' });
    identities.records.clear();
    await expect(check(jws(second, typ, said))).rejects.toMatchObject({ code: 'client-revoked' });
  });

  test('is asked for what the ticket and the upload say, and travels into the round’s manifest', async () => {
    const federation = new MemoryFederation();
    const task = await federation.start({ task: 'demo', round: { buffer: 1 } });
    const asked: unknown[] = [];
    const clients = {
      isActive: async () => true,
      checkStatement: async (...what: unknown[]) => void asked.push(what),
    };
    const { ticket } = await issueTicket(federation.ports, task, { client: clientId('a') });
    const upload = { bytes: 300, sha256: 'f'.repeat(64), examples: 10, metrics: {}, statement: 'x.y.z' };
    await openUpload({ ...federation.ports, clients }, ticket as TicketId, { client: clientId('a'), ...upload });
    expect(asked).toEqual([['a', 'x.y.z', { ...said, ticket }]]);
    await federation.contribute(task, 'b', filled(1));
    await federation.runStarted();
    const manifest = federation.models.objects.get('tasks/demo/rounds/1-0/manifest.json');
    expect(JSON.parse(new TextDecoder().decode(manifest)).updates).toMatchObject([{ client: 'b', statement: signed }]);
  });

  test('that is wrong leaves the ticket as it was', async () => {
    const federation = new MemoryFederation();
    const task = await federation.start({ task: 'demo' });
    const { ticket } = await issueTicket(federation.ports, task, { client: clientId('a') });
    const upload = { bytes: 300, sha256: 'f'.repeat(64), examples: 10, metrics: {}, statement: 'x.y.z' };
    await expect(
      openUpload(federation.ports, ticket as TicketId, { client: clientId('a'), ...upload }),
    ).rejects.toMatchObject({ code: 'statement-wrong' });
    expect(await federation.rounds.ticket(ticket as TicketId)).toMatchObject({ state: 'issued' });
  });
});
