import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TicketResponse } from '../../shared/wire/api.ts';
import { signStatement } from '../../shared/wire/identity/sign.ts';
import { encodeSafetensors, parseSafetensors } from '../../shared/wire/safetensors.ts';
import { call, signedCall } from './call.ts';
import {
  contribute,
  createSmallTask,
  freshAssembly,
  type RunningFederation,
  startFederation,
} from './small-federation.ts';

let federation: RunningFederation;
let parameters: number;

beforeAll(async () => {
  federation = await startFederation(await freshAssembly());
  parameters = await createSmallTask(federation.api, {
    task: 'target',
    round: { buffer: 2, deadlineMs: 3_600_000, minimum: 2 },
    selection: { concurrency: 100 },
  });
  await createSmallTask(federation.api, { task: 'fleeting', selection: { ticketLifetimeMs: 1_000 } });
});
afterAll(() => federation?.close());

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

/** What a client that is enrolled sends, right or wrong. */
async function asClient(client: string, method: string, path: string, body?: unknown) {
  return signedCall(federation.endpoint, await federation.key(client), method, path, body);
}

let next = 0;

/** A ticket of its own client, the model it is for, and a well-formed update. */
async function ticketFor(task: string) {
  const client = `mallory-${next++}`;
  const key = await federation.key(client);
  const ticket: TicketResponse = (await asClient(client, 'POST', `/v1/tasks/${task}/tickets`, {})).body;
  const model = parseSafetensors(new Uint8Array(await (await fetch(ticket.modelUrl)).arrayBuffer()));
  const metadata = { task, baseVersion: String(ticket.baseVersion), codec: 'float32', examples: '10' };
  const update = (values: Float32Array, layout = model.layout) => encodeSafetensors({ layout, values, metadata });
  const { baseVersion } = ticket;
  /** Declares an update, truthfully or not; the statement agrees with the declaration. */
  const open = async (bytes: Uint8Array, overrides = {}, by = client) => {
    const declared = { bytes: bytes.length, sha256: sha256(bytes), examples: 10, ...overrides };
    const said = { sub: client, task, ticket: ticket.ticket, baseVersion, ...declared };
    const body = { ...declared, metrics: {}, statement: await signStatement(key, said) };
    return asClient(by, 'POST', `/v1/tickets/${ticket.ticket}/upload`, body);
  };
  return { client, ticket, model, update, open };
}

const put = (target: { url: string; headers: Record<string, string> }, bytes: Uint8Array) =>
  fetch(target.url, { method: 'PUT', headers: target.headers, body: Buffer.from(bytes) });

describe('a request that is wrong gets a problem document', () => {
  test.each([
    ['an unknown task', 'POST', '/v1/tasks/nope/tickets', {}, 404, 'task-unknown'],
    ['a task name with capitals', 'POST', '/v1/tasks/NOPE/tickets', {}, 400, 'request-malformed'],
    ['a version that is none', 'POST', '/v1/tasks/target/tickets', { have: -1 }, 400, 'request-malformed'],
    ['a field too many', 'POST', '/v1/tasks/target/tickets', { staleness: 0 }, 400, 'request-malformed'],
    ['no JSON', 'POST', '/v1/tasks/target/tickets', '{"have":', 400, 'request-malformed'],
    ['no body', 'POST', '/v1/tasks/target/tickets', undefined, 400, 'request-malformed'],
    ['a ticket that is none', 'GET', '/v1/tickets/short', undefined, 400, 'request-malformed'],
    ['an unknown ticket', 'GET', `/v1/tickets/${'x'.repeat(43)}`, undefined, 404, 'ticket-unknown'],
  ])('%s', async (_, method, path, body, status, code) => {
    const answer = await asClient('mallory', method, path, body);
    expect(answer).toMatchObject({ status, type: 'application/problem+json', body: { status, code } });
    expect(answer.body.type).toBe(`urn:tributary:problem:${code}`);
    expect(answer.body.detail.length).toBeGreaterThan(5);
  });

  test('an operator route without a signature is forbidden', async () => {
    const { endpoint } = federation;
    expect((await call(endpoint, 'GET', '/v1/tasks')).status).toBe(403);
    expect((await call(endpoint, 'POST', '/v1/tasks/target/stop', { body: {} })).status).toBe(403);
  });

  test('an operator route with the proof of a client is forbidden', async () => {
    expect((await asClient('mallory', 'GET', '/v1/tasks')).status).toBe(403);
    expect((await asClient('mallory', 'POST', '/v1/invitations', { clients: ['sybil'] })).status).toBe(403);
  });

  test('a foreign ticket, a second update on one ticket, too many bytes, too many examples, no examples', async () => {
    const { update, open, model } = await ticketFor('target');
    const bytes = update(model.values);
    expect(await open(bytes, {}, 'somebody-else')).toMatchObject({
      status: 403,
      body: { code: 'ticket-foreign' },
    });
    expect(await open(bytes, { bytes: 50_000_000 })).toMatchObject({ status: 413, body: { code: 'update-too-large' } });
    expect(await open(bytes, { examples: 2_000_000 })).toMatchObject({
      status: 422,
      body: { code: 'examples-too-many' },
    });
    expect(await open(bytes, { examples: 0 })).toMatchObject({ status: 400, body: { code: 'request-malformed' } });
    expect(await open(bytes)).toMatchObject({ status: 200 });
    expect(await open(bytes, { sha256: 'a'.repeat(64) })).toMatchObject({ status: 409, body: { code: 'ticket-used' } });
  });

  test('an expired ticket', async () => {
    const { ticket, update, open, model } = await ticketFor('fleeting');
    await expect.poll(() => Date.now() > ticket.expiresAtMs, { timeout: 5_000 }).toBe(true);
    expect(await open(update(model.values))).toMatchObject({ status: 410, body: { code: 'ticket-expired' } });
    await asClient('another', 'POST', '/v1/tasks/fleeting/tickets', {});
    expect((await federation.api.task('fleeting')).updates.expired).toBe(1);
  });
});

describe('an upload that is not what was declared does not get into the bucket', () => {
  test('other bytes of the same length, truncated, longer, a tampered URL, a second write', async () => {
    const { update, open, model } = await ticketFor('target');
    const bytes = update(model.values);
    const target = (await open(bytes)).body;
    const flipped = bytes.slice();
    flipped[flipped.length - 1] ^= 1;
    expect((await put(target, flipped)).status).toBe(400);
    expect((await put(target, bytes.slice(0, -4)).catch(() => ({ status: 0 }))).status).not.toBe(200);
    const longer = { ...target, headers: { ...target.headers, 'content-length': String(bytes.length + 4) } };
    expect((await put(longer, Buffer.concat([bytes, new Uint8Array(4)]))).status).toBe(403);
    expect((await put({ ...target, url: target.url.replace('updates/target', 'updates/other') }, bytes)).status).toBe(
      403,
    );
    const { 'if-none-match': _, ...unguarded } = target.headers;
    expect((await put({ ...target, headers: unguarded }, bytes)).status).toBe(403);
    expect((await put(target, bytes)).status).toBe(200);
    expect((await put(target, bytes)).status).toBe(412);
  });
});

describe('an update whose content is wrong ends in quarantine', () => {
  test.each([
    ['NaN', 'non-finite', (values: Float32Array) => values.with(3, Number.NaN)],
    ['infinity', 'non-finite', (values: Float32Array) => values.with(0, Number.POSITIVE_INFINITY)],
  ])('%s', async (_, reason, spoil) => {
    const { client, ticket, update, open, model } = await ticketFor('target');
    const bytes = update(spoil(model.values));
    expect((await put((await open(bytes)).body, bytes)).status).toBe(200);
    await federation.cloud.idle();
    const status = await (await federation.client(client)).ticketStatus(ticket.ticket);
    expect(status).toMatchObject({ state: 'quarantined', reason });
  });

  test('a wrong layout, and bytes that are no model', async () => {
    const wrongLayout = await ticketFor('target');
    const { tensors, size } = wrongLayout.model.layout;
    const renamed = { size, tensors: tensors.map((tensor) => ({ ...tensor, name: `a.${tensor.name}` })) };
    const files = [
      { from: wrongLayout, bytes: wrongLayout.update(wrongLayout.model.values, renamed), reason: 'layout-mismatch' },
      { from: await ticketFor('target'), bytes: new Uint8Array(100).fill(255), reason: 'safetensors-malformed' },
    ];
    for (const { from, bytes, reason } of files) {
      expect((await put((await from.open(bytes)).body, bytes)).status).toBe(200);
      await federation.cloud.idle();
      const { quarantine } = await federation.api.task('target');
      expect(quarantine[0]).toMatchObject({ client: from.client, reason });
      expect(quarantine[0].detail.length).toBeGreaterThan(reason.length);
    }
  });

  test('and nothing of all this was aggregated or lost: the honest updates make version 1', async () => {
    const before = await federation.api.task('target');
    expect(before.version).toBe(0);
    // One well-formed update of the tests above was admitted: the honest one is the second.
    expect(before.updates).toMatchObject({ admitted: 1, quarantined: 4, aggregated: 0, buffered: 1 });
    await contribute(federation, 'target', 'honest', () => 0.5);
    await federation.cloud.idle();
    const after = await federation.api.task('target');
    expect(after).toMatchObject({ version: 1, updates: { aggregated: 2, buffered: 0, quarantined: 4 } });
    const { modelUrl } = await federation.api.version('target', 1);
    const { values } = parseSafetensors(await federation.api.get(modelUrl ?? ''));
    expect(values).toHaveLength(parameters);
    // Version 0 is all zeros, so mallory's valid update was zero too, with the same number of examples: half of 0.5.
    expect([...values].every((value) => value === 0.25)).toBe(true);
  });
});
