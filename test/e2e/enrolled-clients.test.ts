import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TributaryClient } from '../../client/typescript/client.ts';
import { enrol } from '../../client/typescript/enrol.ts';
import { memoryKeys } from '../../client/typescript/key-store.ts';
import type { TicketResponse } from '../../shared/wire/api.ts';
import { generateClientKey } from '../../shared/wire/identity/keys.ts';
import { signStatement } from '../../shared/wire/identity/sign.ts';
import { encodeSafetensors, parseSafetensors } from '../../shared/wire/safetensors.ts';
import { call, proofOf, signedCall } from './call.ts';
import { createSmallTask, freshAssembly, type RunningFederation, startFederation } from './small-federation.ts';

let federation: RunningFederation;
let endpoint: string;

beforeAll(async () => {
  federation = await startFederation(await freshAssembly());
  endpoint = federation.endpoint;
  await createSmallTask(federation.api, {
    task: 'target',
    round: { buffer: 2, deadlineMs: 3_600_000, minimum: 2 },
    selection: { concurrency: 100 },
  });
});
afterAll(() => federation?.close());

const tickets = '/v1/tasks/target/tickets';
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

/** A ticket of a client of its own, and the declaration of an update of zeros for it. */
async function ticketOf(name: string) {
  const key = await federation.key(name);
  const ticket: TicketResponse = (await signedCall(endpoint, key, 'POST', tickets, {})).body;
  const { layout, values } = parseSafetensors(new Uint8Array(await (await fetch(ticket.modelUrl)).arrayBuffer()));
  const metadata = { task: 'target', baseVersion: String(ticket.baseVersion), codec: 'float32', examples: '10' };
  const bytes = encodeSafetensors({ layout, values, metadata });
  const declared = { bytes: bytes.length, sha256: sha256(bytes), examples: 10 };
  const said = { sub: name, task: 'target', ticket: ticket.ticket, baseVersion: ticket.baseVersion, ...declared };
  const body = { ...declared, metrics: {}, statement: await signStatement(key, said) };
  return { key, ticket, said, body, upload: `/v1/tickets/${ticket.ticket}/upload` };
}

async function invite(client: string, lifetimeMs?: number): Promise<string> {
  const { invitations } = await federation.api.invite({ clients: [client], lifetimeMs });
  return invitations[0].code;
}

describe('a stranger', () => {
  test('is refused on every route of clients with one and the same bare answer', async () => {
    const { ticket } = await ticketOf('known');
    const stranger = await generateClientKey('stranger');
    const impostor = await generateClientKey('known');
    const routes: [string, string, unknown][] = [
      ['POST', tickets, {}],
      ['POST', '/v1/tasks/no-such-task/tickets', {}],
      ['POST', `/v1/tickets/${ticket.ticket}/upload`, {}],
      ['POST', `/v1/tickets/${'x'.repeat(43)}/upload`, {}],
      ['GET', `/v1/tickets/${ticket.ticket}`, undefined],
      ['GET', `/v1/tickets/${'x'.repeat(43)}`, undefined],
      ['POST', '/v1/keys', {}],
    ];
    const answers = new Set<string>();
    for (const [method, path, body] of routes) {
      const authorizations = [
        'Tributary x.y.z',
        'Bearer secret',
        await proofOf(endpoint, stranger, method, path, body),
        await proofOf(endpoint, impostor, method, path, body),
      ];
      for (const authorization of authorizations) {
        const { status, body: answer } = await call(endpoint, method, path, { body, authorization });
        answers.add(JSON.stringify([status, answer]));
      }
      expect((await call(endpoint, method, path, { body })).status).toBe(401);
    }
    expect([...answers]).toEqual([JSON.stringify([403, { message: 'Forbidden' }])]);
  });

  test('enrols with nothing but a code for its name', async () => {
    const code = await invite('invited');
    await expect(enrol({ endpoint, client: 'stranger', code })).rejects.toMatchObject({ code: 'invitation-unknown' });
    await expect(enrol({ endpoint, client: 'invited', code: 'x'.repeat(43) })).rejects.toMatchObject({
      code: 'invitation-unknown',
    });
    const brief = await invite('late', 1_000);
    const expired = Date.now() + 1_000;
    await expect.poll(() => Date.now() > expired, { timeout: 5_000 }).toBe(true);
    await expect(enrol({ endpoint, client: 'late', code: brief })).rejects.toMatchObject({
      code: 'invitation-expired',
    });
  });
});

describe('a client', () => {
  test('whose clock is an hour ahead finds the time in the refusal', async () => {
    const key = await federation.key('clockless');
    const clock = () => Date.now() + 3_600_000;
    const client = new TributaryClient({ endpoint, identity: key, clock });
    expect(await client.requestTicket('target')).toMatchObject({ kind: 'issued' });
  });

  test('that was revoked comes back with a new invitation and a new key', async () => {
    const old = await federation.key('prodigal');
    await federation.api.revoke('prodigal', 'a mistake');
    await expect(new TributaryClient({ endpoint, identity: old }).requestTicket('target')).rejects.toMatchObject({
      code: 'identity-refused',
    });
    const identity = await enrol({ endpoint, client: 'prodigal', code: await invite('prodigal') });
    expect(await new TributaryClient({ endpoint, identity }).requestTicket('target')).toMatchObject({ kind: 'issued' });
    expect((await signedCall(endpoint, old, 'POST', tickets, {})).status).toBe(403);
  });

  test('that did not hear that its key was rotated finds out, and changes nothing by asking again', async () => {
    const keys = memoryKeys();
    const old = await federation.key('turning');
    await keys.set('current', old);
    const client = new TributaryClient({ endpoint, identity: old, keys });
    const next = await client.rotateKey();
    expect(await client.requestTicket('target')).toMatchObject({ kind: 'issued' });
    // The answer was lost: both keys are there, and the old one is thought to sign.
    await keys.set('current', old);
    await keys.set('next', next);
    const restarted = new TributaryClient({ endpoint, identity: old, keys });
    expect((await restarted.rotateKey()).kid).toBe(next.kid);
    const { keys: registered } = await federation.api.client('turning');
    expect(registered.map(({ kid }) => kid)).toEqual([old.kid, next.kid]);
  });
});

describe('a ticket', () => {
  test("of another client's can be neither used nor looked at", async () => {
    const { ticket, upload, said } = await ticketOf('owner');
    const thief = await federation.key('thief');
    const { bytes, sha256: digest, examples } = said;
    const statement = await signStatement(thief, { ...said, sub: 'thief' });
    const body = { bytes, sha256: digest, examples, metrics: {}, statement };
    expect(await signedCall(endpoint, thief, 'POST', upload, body)).toMatchObject({
      status: 403,
      body: { code: 'ticket-foreign' },
    });
    expect((await signedCall(endpoint, thief, 'GET', `/v1/tickets/${ticket.ticket}`)).status).toBe(403);
  });

  test('takes no update whose statement says something else, or is of another', async () => {
    const { key, upload, said, body } = await ticketOf('lying');
    const other = await federation.key('other');
    for (const statement of [
      await signStatement(key, { ...said, examples: 11 }),
      await signStatement(key, { ...said, task: 'elsewhere' }),
      await signStatement(other, said),
      'a.b.c',
    ]) {
      expect(await signedCall(endpoint, key, 'POST', upload, { ...body, statement })).toMatchObject({
        status: 422,
        body: { code: 'statement-wrong' },
      });
    }
    expect((await signedCall(endpoint, key, 'POST', upload, body)).status).toBe(200);
  });
});
