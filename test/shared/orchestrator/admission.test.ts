import { describe, expect, test } from 'vitest';
import type { TicketId } from '../../../shared/core/names.ts';
import { layoutOf } from '../../../shared/core/params.ts';
import { admitUpdate } from '../../../shared/orchestrator/admit-update.ts';
import { issueTicket } from '../../../shared/orchestrator/issue-ticket.ts';
import { openUpload, ticketStatus } from '../../../shared/orchestrator/open-upload.ts';
import { showTask } from '../../../shared/orchestrator/show-task.ts';
import { onDeadline } from '../../../shared/orchestrator/start-round.ts';
import { stopTask } from '../../../shared/orchestrator/task-lifecycle.ts';
import { uploadGraceMs } from '../../../shared/ports/round-store.ts';
import { encodeSafetensors } from '../../../shared/wire/safetensors.ts';
import { clientId, MemoryFederation, sha256, taskId } from '../../memory/federation.ts';

const filled = (value: number) => new Float32Array(11).fill(value);
const request = (client: string, overrides = {}) => ({
  client: clientId(client),
  bytes: 300,
  sha256: sha256(new Uint8Array([1])),
  examples: 10,
  metrics: {},
  statement: 'a.b.c',
  ...overrides,
});

describe('tickets', () => {
  test('are given up to the concurrency, then 429', async () => {
    const federation = new MemoryFederation();
    const task = await federation.start({ task: 'demo', selection: { concurrency: 2 } });
    for (const client of ['a', 'b']) await issueTicket(federation.ports, task, { client: clientId(client) });
    await expect(issueTicket(federation.ports, task, { client: clientId('c') })).rejects.toMatchObject({
      code: 'cohort-full',
      retry: 'later',
    });
  });

  test('are one for each client at a time: who asks again, because the answer was lost, gets the same', async () => {
    const federation = new MemoryFederation();
    const task = await federation.start({ task: 'demo', selection: { ticketLifetimeMs: 5000 } });
    const ask = () => issueTicket(federation.ports, task, { client: clientId('a') });
    const first = await ask();
    federation.nowMs += 4000;
    const again = await ask();
    expect([again.ticket, again.expiresAtMs]).toEqual([first.ticket, first.expiresAtMs]);
    expect(await federation.rounds.counts(task)).toMatchObject({ issued: 1, open: 1 });
    await openUpload(federation.ports, first.ticket as TicketId, request('a'));
    await expect(ask()).rejects.toMatchObject({ code: 'client-busy' });
  });

  test('for an older version are given up for one of the newest, which counts as one that ran out', async () => {
    const federation = new MemoryFederation();
    const task = await federation.start({ task: 'demo', round: { buffer: 1 } });
    const ask = () => issueTicket(federation.ports, task, { client: clientId('a') });
    const first = await ask();
    await federation.contribute(task, 'b', filled(1));
    await federation.runStarted();
    const second = await ask();
    expect([first.baseVersion, second.baseVersion]).toEqual([0, 1]);
    expect(await federation.rounds.ticket(first.ticket as TicketId)).toMatchObject({ state: 'expired' });
    expect(await federation.rounds.pace(task, clientId('a'))).toMatchObject({ missed: 1 });
    expect(await federation.rounds.counts(task)).toMatchObject({ issued: 3, open: 1, admitted: 1, expired: 1 });
  });

  test('run out, and make room', async () => {
    const federation = new MemoryFederation();
    const task = await federation.start({ task: 'demo', selection: { concurrency: 1, ticketLifetimeMs: 5000 } });
    const { ticket } = await issueTicket(federation.ports, task, { client: clientId('a') });
    federation.nowMs += 5000;
    await expect(openUpload(federation.ports, ticket as TicketId, request('a'))).rejects.toThrow('ticket-expired');
    await issueTicket(federation.ports, task, { client: clientId('b') });
    expect((await federation.rounds.counts(task)).expired).toBe(1);
  });

  test('of a synchronous round are for the cohort, one for each client', async () => {
    const federation = new MemoryFederation();
    const task = await federation.start({
      task: 'demo',
      round: { mode: 'sync', maxStaleness: 0, buffer: 2, minimum: 2 },
      selection: { concurrency: 2 },
    });
    await federation.contribute(task, 'a', filled(1));
    await expect(federation.upload(task, 'a', filled(1))).rejects.toThrow('client-busy');
    await federation.upload(task, 'b', filled(1));
    await expect(federation.upload(task, 'c', filled(1))).rejects.toThrow('cohort-full');
  });

  test('of an earlier version of a synchronous task hold no place of the next cohort', async () => {
    const federation = new MemoryFederation();
    const task = await federation.start({
      task: 'demo',
      round: { mode: 'sync', maxStaleness: 0, buffer: 3, minimum: 1, deadlineMs: 1_000 },
      selection: { concurrency: 3 },
    });
    const { ticket } = await issueTicket(federation.ports, task, { client: clientId('silent') });
    const late = await federation.upload(task, 'late', filled(1));
    await federation.contribute(task, 'a', filled(1));
    federation.nowMs += 1_000;
    await onDeadline(federation.ports, { task, atMs: federation.nowMs });
    await federation.runStarted();
    expect((await federation.rounds.counts(task)).open).toBe(0);
    await expect(openUpload(federation.ports, ticket as TicketId, request('silent'))).rejects.toThrow('ticket-expired');
    for (const client of ['a', 'late', 'silent']) await federation.upload(task, client, filled(1));
    await federation.admit(late);
    expect((await showTask(federation.ports, task)).updates).toMatchObject({ open: 3, aggregated: 1, quarantined: 1 });
  });

  test('of an unknown task do not exist', async () => {
    const federation = new MemoryFederation();
    await expect(issueTicket(federation.ports, taskId('nope'), { client: clientId('a') })).rejects.toThrow(
      'task-unknown',
    );
  });
});

describe('an upload', () => {
  test('is refused for a foreign, unknown or used ticket', async () => {
    const federation = new MemoryFederation();
    const task = await federation.start({ task: 'demo' });
    const { ticket } = await issueTicket(federation.ports, task, { client: clientId('a') });
    const id = ticket as TicketId;
    await expect(openUpload(federation.ports, id, request('b'))).rejects.toThrow('ticket-foreign');
    await expect(openUpload(federation.ports, 'x'.repeat(43) as TicketId, request('a'))).rejects.toThrow(
      'ticket-unknown',
    );
    await openUpload(federation.ports, id, request('a'));
    await openUpload(federation.ports, id, request('a')); // the same one again: the answer was lost
    const other = request('a', { sha256: sha256(new Uint8Array([2])) });
    await expect(openUpload(federation.ports, id, other)).rejects.toThrow('ticket-used');
  });

  test('is for a ticket that has ended, also if the task ends while it is declared', async () => {
    const federation = new MemoryFederation();
    const task = await federation.start({ task: 'demo' });
    const { ticket } = await issueTicket(federation.ports, task, { client: clientId('a') });
    const bind = federation.rounds.bindUpload.bind(federation.rounds);
    federation.rounds.bindUpload = async (record, upload) => {
      await federation.rounds.expireTickets(task, Number.MAX_SAFE_INTEGER);
      return bind(record, upload);
    };
    await expect(openUpload(federation.ports, ticket as TicketId, request('a'))).rejects.toThrow('ticket-expired');
  });

  test('is refused when it is larger than the model, or claims too many examples', async () => {
    const federation = new MemoryFederation();
    const task = await federation.start({ task: 'demo', maxExamples: 100 });
    const { ticket } = await issueTicket(federation.ports, task, { client: clientId('a') });
    const id = ticket as TicketId;
    await expect(openUpload(federation.ports, id, request('a', { bytes: 5_000_000 }))).rejects.toThrow(
      'update-too-large',
    );
    await expect(openUpload(federation.ports, id, request('a', { examples: 101 }))).rejects.toThrow(
      'examples-too-many',
    );
  });
});

describe('admission', () => {
  const other = layoutOf([{ name: 'a', shape: [11] }]);
  const metadata = { task: 'demo', baseVersion: '0', codec: 'float32', examples: '10' };
  const layout = new MemoryFederation().layout;
  const poisoned = filled(1);
  poisoned[7] = Number.NaN;
  const whole = encodeSafetensors({ layout, values: filled(1), metadata });

  test.each([
    ['NaN', encodeSafetensors({ layout, values: poisoned, metadata }), 'non-finite', 'value 7 is NaN'],
    [
      'a wrong layout',
      encodeSafetensors({ layout: other, values: filled(1), metadata }),
      'layout-mismatch',
      'tensor 0 is "a" [11]',
    ],
    ['a truncated file', whole.slice(0, -4), 'safetensors-malformed', 'bytes, but header and tensors make'],
    ['no file at all', new Uint8Array([1, 2, 3]), 'safetensors-malformed', '3 bytes'],
    [
      'the wrong base version',
      encodeSafetensors({ layout, values: filled(1), metadata: { ...metadata, baseVersion: '7' } }),
      'header-mismatch',
      'baseVersion',
    ],
    [
      'another number of examples',
      encodeSafetensors({ layout, values: filled(1), metadata: { ...metadata, examples: '99' } }),
      'header-mismatch',
      'examples',
    ],
    [
      'a codec that it does not know',
      encodeSafetensors({ layout, values: filled(1), metadata: { ...metadata, codec: 'int8' } }),
      'header-mismatch',
      'codec',
    ],
  ])('puts %s in quarantine with the reason', async (_, bytes, reason, detail) => {
    const federation = new MemoryFederation();
    const task = await federation.start({ task: 'demo', round: { buffer: 1 } });
    const { ticket } = await federation.contribute(task, 'mallory', filled(0), { bytes });
    const shown = await showTask(federation.ports, task);
    expect(shown.quarantine).toMatchObject([{ client: 'mallory', reason }]);
    expect(shown.quarantine[0].detail).toContain(detail);
    expect(shown.updates).toMatchObject({ admitted: 0, quarantined: 1, open: 0, buffered: 0 });
    expect(federation.started.size).toBe(0);
    expect(await ticketStatus(federation.ports, ticket, clientId('mallory'))).toMatchObject({
      state: 'quarantined',
      reason,
    });
  });

  test('puts an update that is too stale in quarantine, also when it became so in the buffer', async () => {
    const federation = new MemoryFederation();
    const task = await federation.start({ task: 'demo', round: { buffer: 1, maxStaleness: 0 } });
    const late = await federation.upload(task, 'late', filled(1));
    await federation.contribute(task, 'a', filled(1));
    federation.nowMs += 1;
    await federation.contribute(task, 'waits', filled(1));
    await federation.runStarted();
    await admitUpdate(federation.ports, federation.layouts, late);
    await federation.runStarted();
    const { quarantine, updates } = await showTask(federation.ports, task);
    expect(quarantine.map(({ client, reason }) => [client, reason]).sort()).toEqual([
      ['late', 'too-stale'],
      ['waits', 'too-stale'],
    ]);
    expect(updates).toMatchObject({ issued: 3, admitted: 2, aggregated: 1, quarantined: 2, buffered: 0, open: 0 });
  });

  test('puts an update that comes long after its ticket in quarantine', async () => {
    const federation = new MemoryFederation();
    const task = await federation.start({ task: 'demo', selection: { ticketLifetimeMs: 5000 } });
    const arrival = await federation.upload(task, 'slow', filled(1));
    federation.nowMs += 5000 + uploadGraceMs;
    await federation.rounds.expireTickets(task, federation.nowMs);
    await admitUpdate(federation.ports, federation.layouts, arrival);
    expect((await showTask(federation.ports, task)).updates).toMatchObject({ quarantined: 1, expired: 0, open: 0 });
  });

  test('ends the ticket of an update that comes after its task', async () => {
    const federation = new MemoryFederation();
    const task = await federation.start({ task: 'demo' });
    const arrival = await federation.upload(task, 'a', filled(1));
    await stopTask(federation.ports, task);
    await admitUpdate(federation.ports, federation.layouts, arrival);
    expect((await showTask(federation.ports, task)).updates).toMatchObject({ expired: 1, quarantined: 0, open: 0 });
  });

  test('ignores an object that no ticket names', async () => {
    const federation = new MemoryFederation();
    const task = await federation.start({ task: 'demo' });
    for (const key of ['updates/demo/../x.safetensors', `updates/demo/${'z'.repeat(43)}.safetensors`, 'elsewhere']) {
      await admitUpdate(federation.ports, federation.layouts, { key, etag: '"x"', bytes: 3 });
    }
    expect((await showTask(federation.ports, task)).updates).toMatchObject({ admitted: 0, quarantined: 0 });
  });
});
