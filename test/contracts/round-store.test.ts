import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DynamoRoundStore } from '../../functions/aws/dynamo-round-store.ts';
import type { ClientId, TaskId, TicketId } from '../../shared/core/names.ts';
import type {
  BufferEntry,
  RoundStore,
  TaskRecord,
  TicketRecord,
  VersionRecord,
} from '../../shared/ports/round-store.ts';
import { uploadGraceMs } from '../../shared/ports/round-store.ts';
import { taskConfigSchema } from '../../shared/wire/task-config.ts';
import { MemoryRoundStore } from '../memory/memory-round-store.ts';
import { startStoreTable } from './store-table.ts';

/** The same suite on every adapter: what the laws rest on. */
const adapters: Record<string, () => Promise<{ store: RoundStore; close(): Promise<void> }>> = {
  memory: async () => ({ store: new MemoryRoundStore(), close: async () => {} }),
  dynamodb: dynamoStore,
};

async function dynamoStore() {
  const { documents, table, close } = await startStoreTable();
  return { store: new DynamoRoundStore(documents, table), close };
}

let made = 0;

/** A running task at version 0, under a name of its own. */
async function runningTask(store: RoundStore): Promise<TaskId> {
  const config = taskConfigSchema.parse({ task: `task-${made++}` });
  const record: TaskRecord = {
    task: config.task,
    config,
    artifacts: { 'forward.onnx': { bytes: 1, sha256: 'a'.repeat(64) } },
    state: 'draft',
    createdAtMs: 1,
    version: -1,
    settledVersion: -1,
    attempt: 0,
    failures: 0,
  };
  expect(await store.createTask(record)).toBe('created');
  expect(await store.task(config.task)).toEqual(record);
  expect(await store.publish(config.task, versionRecord(0), 0)).toBe('published');
  expect(await store.setTaskState(config.task, ['draft'], 'running', 'started')).toBe('done');
  return config.task;
}

const versionRecord = (version: number): VersionRecord => ({
  version,
  origin: { kind: 'round' },
  publishedAtMs: version,
  updates: 1,
  examples: 1,
  staleness: { '0': 1 },
  clientMetrics: { loss: 0.5 },
  model: { key: `model-${version}`, dataOffset: 64, parameters: 10 },
  manifestKey: `manifest-${version}`,
  aggregatedTotal: version,
});

const ticketOf = (task: TaskId, client: string, expiresAtMs = 1000): TicketRecord => ({
  ticket: String(made++).padStart(43, 't') as TicketId,
  task,
  client: client as ClientId,
  baseVersion: 0,
  state: 'issued',
  issuedAtMs: 0,
  expiresAtMs,
});

const entryOf = ({ ticket, client }: TicketRecord, sequence: string): BufferEntry => ({
  sequence: `${sequence}-${ticket}`,
  ticket,
  client,
  baseVersion: 0,
  key: `updates/${ticket}`,
  etag: '"e"',
  dataOffset: 64,
  sha256: 'b'.repeat(64),
  examples: 5,
  metrics: { loss: 1 },
  statement: 'a.b.c',
});

const upload = { key: 'k', bytes: 10, sha256: 'b'.repeat(64), examples: 5, metrics: {}, statement: 'a.b.c' };

describe.each(Object.keys(adapters))('the round store over %s', (name) => {
  let store: RoundStore;
  let close: () => Promise<void>;
  beforeAll(async () => {
    ({ store, close } = await adapters[name]());
  });
  afterAll(() => close());

  async function admitted(task: TaskId, client: string, sequence: string) {
    const ticket = ticketOf(task, client);
    expect(await store.issueTicket(ticket, 100)).toBe('issued');
    expect(await store.bindUpload(ticket, upload)).toBe('bound');
    const entry = entryOf(ticket, sequence);
    expect(await store.admit(ticket, entry)).toBe('admitted');
    return { ticket, entry };
  }

  test('creates a task once and lists it', async () => {
    const task = await runningTask(store);
    const record = await store.task(task);
    expect(record && (await store.createTask(record))).toBe('exists');
    expect((await store.tasks()).map((each) => each.task)).toContain(task);
    expect(await store.task('nope' as TaskId)).toBeUndefined();
  });

  test('never opens more tickets than the cap, whoever asks at the same time', async () => {
    const task = await runningTask(store);
    const outcomes = await Promise.all(
      Array.from({ length: 30 }, (_, i) => store.issueTicket(ticketOf(task, `c${i}`), 5)),
    );
    expect(outcomes.filter((outcome) => outcome === 'issued')).toHaveLength(5);
    expect(await store.counts(task)).toMatchObject({ issued: 5, open: 5 });
  });

  test('gives no ticket of a cohort that an admission or a new version has overtaken', async () => {
    const task = await runningTask(store);
    expect(await store.issueTicket(ticketOf(task, 'a'), 100, 0)).toBe('issued');
    await admitted(task, 'b', '1');
    expect(await store.issueTicket(ticketOf(task, 'c'), 100, 0)).toBe('full');
    expect(await store.issueTicket(ticketOf(task, 'a'), 100, 1)).toBe('client-busy');
    expect(await store.issueTicket(ticketOf(task, 'c'), 100, 1)).toBe('issued');
    await store.publish(task, versionRecord(1), 0);
    expect(await store.issueTicket(ticketOf(task, 'd'), 100, 1)).toBe('full');
  });

  test('gives a client one ticket at a time', async () => {
    const task = await runningTask(store);
    const both = await Promise.all([1, 2].map(() => store.issueTicket(ticketOf(task, 'same'), 100)));
    expect(both.sort()).toEqual(['client-busy', 'issued']);
  });

  test('knows the ticket that a client holds, until it ends', async () => {
    const task = await runningTask(store);
    const ticket = ticketOf(task, 'a');
    expect(await store.openTicket(task, ticket.client)).toBeUndefined();
    await store.issueTicket(ticket, 100);
    expect(await store.openTicket(task, ticket.client)).toBe(ticket.ticket);
    await store.bindUpload(ticket, upload);
    expect(await store.openTicket(task, ticket.client)).toBe(ticket.ticket);
    await store.expireTicket(ticket, 'enough');
    expect(await store.openTicket(task, ticket.client)).toBeUndefined();
  });

  test('binds a ticket to one upload; the same again is fine, another is refused', async () => {
    const task = await runningTask(store);
    const ticket = ticketOf(task, 'a');
    await store.issueTicket(ticket, 100);
    expect(await store.bindUpload(ticket, upload)).toBe('bound');
    expect(await store.bindUpload(ticket, upload)).toBe('bound');
    expect(await store.bindUpload(ticket, { ...upload, sha256: 'c'.repeat(64) })).toBe('refused');
    expect(await store.ticket(ticket.ticket)).toMatchObject({ state: 'uploading', upload });
  });

  test('admits an update once, however many events race', async () => {
    const task = await runningTask(store);
    const ticket = ticketOf(task, 'a');
    await store.issueTicket(ticket, 100);
    await store.bindUpload(ticket, upload);
    const outcomes = await Promise.all(
      Array.from({ length: 10 }, (_, i) => store.admit(ticket, entryOf(ticket, String(i)))),
    );
    expect(outcomes.filter((outcome) => outcome === 'admitted')).toHaveLength(1);
    expect(await store.buffer(task, 100)).toHaveLength(1);
    expect(await store.counts(task)).toEqual({ issued: 1, open: 0, admitted: 1, quarantined: 0, expired: 0 });
    expect(await store.issueTicket(ticketOf(task, 'a'), 100)).toBe('issued');
  });

  test('gives the buffer in order of arrival, up to a limit', async () => {
    const task = await runningTask(store);
    for (const sequence of ['3', '1', '2']) await admitted(task, `c${sequence}`, sequence);
    expect((await store.buffer(task, 2)).map(({ client }) => client)).toEqual(['c1', 'c2']);
    expect((await store.buffer(task, 10)).map(({ client }) => client)).toEqual(['c1', 'c2', 'c3']);
  });

  test('puts an update in quarantine from where it is, once, and counts it there', async () => {
    const task = await runningTask(store);
    const { ticket, entry } = await admitted(task, 'a', '1');
    const record = { ticket: ticket.ticket, client: 'a', reason: 'too-stale', detail: 'late', atMs: 5 };
    expect(await store.quarantine(ticket, 'uploading', record)).toBe('already');
    expect(await store.quarantine(ticket, 'admitted', record, entry)).toBe('quarantined');
    expect(await store.quarantine(ticket, 'admitted', record, entry)).toBe('already');
    expect(await store.buffer(task, 10)).toEqual([]);
    expect(await store.counts(task)).toMatchObject({ admitted: 1, quarantined: 1, open: 0 });
    expect(await store.quarantined(task, 10)).toEqual([record]);
    expect(await store.ticket(ticket.ticket)).toMatchObject({ state: 'quarantined', reason: 'too-stale' });
  });

  test('expires what ran out, an announced upload only after its grace', async () => {
    const task = await runningTask(store);
    const [silent, announced, later] = [ticketOf(task, 'a', 100), ticketOf(task, 'b', 100), ticketOf(task, 'c', 200)];
    for (const ticket of [silent, announced, later]) await store.issueTicket(ticket, 100);
    await store.bindUpload(announced, upload);
    expect(await store.expireTickets(task, 100)).toBe(1);
    expect(await store.ticket(silent.ticket)).toMatchObject({ state: 'expired' });
    expect(await store.expireTickets(task, 100)).toBe(0);
    expect(await store.expireTickets(task, 100 + uploadGraceMs)).toBe(2);
    expect(await store.counts(task)).toEqual({ issued: 3, open: 0, admitted: 0, quarantined: 0, expired: 3 });
    const record = { ticket: announced.ticket, client: 'b', reason: 'ticket-expired', detail: 'late', atMs: 5 };
    expect(await store.quarantine(announced, 'expired', record)).toBe('quarantined');
    expect(await store.counts(task)).toMatchObject({ quarantined: 1, expired: 2 });
    expect(await store.expireTicket(announced, 'again')).toBe('already');
  });

  test('ends tickets for versions that are past, where that is asked for', async () => {
    const task = await runningTask(store);
    const [old, announced, fresh] = [0, 0, 1].map((baseVersion, i) => ({ ...ticketOf(task, `c${i}`), baseVersion }));
    for (const ticket of [old, announced, fresh]) await store.issueTicket(ticket, 100);
    await store.bindUpload(announced, upload);
    expect(await store.expireTickets(task, 0, 0)).toBe(0);
    expect(await store.expireTickets(task, 0, 1)).toBe(2);
    expect(await store.ticket(announced.ticket)).toMatchObject({ state: 'expired' });
    expect(await store.ticket(fresh.ticket)).toMatchObject({ state: 'issued' });
    expect(await store.counts(task)).toMatchObject({ open: 1, expired: 2 });
  });

  test('moves the version pointer one step, for one of many who try', async () => {
    const task = await runningTask(store);
    const outcomes = await Promise.all(Array.from({ length: 10 }, () => store.publish(task, versionRecord(1), 0)));
    expect(outcomes.filter((outcome) => outcome === 'published')).toHaveLength(1);
    expect(await store.publish(task, versionRecord(3), 0)).toBe('superseded');
    expect(await store.task(task)).toMatchObject({ version: 1, model: versionRecord(1).model, failures: 0 });
    expect((await store.versions(task)).map(({ version }) => version)).toEqual([0, 1]);
    expect(await store.version(task, 1)).toEqual(versionRecord(1));
  });

  test('consumes the updates of a version, twice as well as once', async () => {
    const task = await runningTask(store);
    const all = await Promise.all(
      Array.from({ length: 60 }, (_, i) => admitted(task, `c${i}`, String(i).padStart(3, '0'))),
    );
    const consumed = all.slice(0, 55).map(({ entry }) => entry);
    for (let run = 0; run < 2; run++) await store.consume(task, 1, consumed);
    expect(await store.buffer(task, 100)).toHaveLength(5);
    expect(await store.ticket(all[0].ticket.ticket)).toMatchObject({ state: 'aggregated', version: 1 });
    expect(await store.task(task)).toMatchObject({ settledVersion: 1 });
  });

  test('sets one deadline for each version', async () => {
    const task = await runningTask(store);
    await store.setDeadline(task, 0, 100);
    await store.setDeadline(task, 0, 200);
    expect((await store.task(task))?.deadline).toEqual({ version: 0, atMs: 100 });
    await store.publish(task, versionRecord(1), 0);
    await store.setDeadline(task, 0, 300);
    expect((await store.task(task))?.deadline).toBeUndefined();
    await store.setDeadline(task, 1, 400);
    expect((await store.task(task))?.deadline).toEqual({ version: 1, atMs: 400 });
  });

  test('moves on to the next attempt once, and counts failures', async () => {
    const task = await runningTask(store);
    const round = { task, version: 1, attempt: 0 };
    expect(await store.nextAttempt(round, 'failed')).toBe('done');
    expect(await store.nextAttempt(round, 'failed')).toBe('refused');
    expect(await store.nextAttempt({ ...round, attempt: 1 }, 'not-ready')).toBe('done');
    expect(await store.task(task)).toMatchObject({ attempt: 2, failures: 1 });
    await store.publish(task, versionRecord(1), 2);
    expect(await store.task(task)).toMatchObject({ attempt: 2, failures: 1 });
    await store.clearFailures(task);
    expect(await store.task(task)).toMatchObject({ failures: 0 });
  });

  test('moves on for the round that is to come only, not for one whose version is there', async () => {
    const task = await runningTask(store);
    await store.publish(task, versionRecord(1), 0);
    expect(await store.nextAttempt({ task, version: 1, attempt: 0 }, 'failed')).toBe('refused');
    expect(await store.nextAttempt({ task, version: 3, attempt: 0 }, 'failed')).toBe('refused');
    expect(await store.task(task)).toMatchObject({ attempt: 0, failures: 0 });
    expect(await store.nextAttempt({ task, version: 2, attempt: 0 }, 'failed')).toBe('done');
  });

  test('publishes for the current attempt only', async () => {
    const task = await runningTask(store);
    await store.nextAttempt({ task, version: 1, attempt: 0 }, 'failed');
    expect(await store.publish(task, versionRecord(1), 0)).toBe('superseded');
    expect(await store.publish(task, versionRecord(1), 2)).toBe('superseded');
    expect(await store.task(task)).toMatchObject({ version: 0, model: versionRecord(0).model });
    expect(await store.version(task, 1)).toBeUndefined();
    expect(await store.publish(task, versionRecord(1), 1)).toBe('published');
  });

  test('lets a version or the end of its attempt come first, never both', async () => {
    for (let race = 0; race < 5; race++) {
      const task = await runningTask(store);
      const [moved, published] = await Promise.all([
        store.nextAttempt({ task, version: 1, attempt: 0 }, 'failed'),
        store.publish(task, versionRecord(1), 0),
      ]);
      expect(`${moved} ${published}`).toMatch(/^(done superseded|refused published)$/);
    }
  });

  test('ends the attempt that may hold an update with the write that puts the update in quarantine', async () => {
    const task = await runningTask(store);
    const { ticket, entry } = await admitted(task, 'a', '1');
    const record = { ticket: ticket.ticket, client: 'a', reason: 'object-missing', detail: 'gone', atMs: 5 };
    const put = (version: number, attempt: number) =>
      store.quarantine(ticket, 'admitted', record, entry, { task, version, attempt });
    expect(await put(1, 1)).toBe('already');
    expect(await put(2, 0)).toBe('already');
    expect(await store.buffer(task, 10)).toHaveLength(1);
    expect(await store.counts(task)).toMatchObject({ quarantined: 0 });
    expect(await put(1, 0)).toBe('quarantined');
    expect(await store.task(task)).toMatchObject({ attempt: 1, failures: 0 });
    expect(await store.buffer(task, 10)).toEqual([]);
    expect(await store.publish(task, versionRecord(1), 0)).toBe('superseded');
    expect(await put(1, 1)).toBe('already'); // No longer in the buffer: and then the attempt stays.
    expect(await store.task(task)).toMatchObject({ attempt: 1 });
  });

  test('knows of one note: the earliest that is still to come', async () => {
    const task = await runningTask(store);
    const known = async () => (await store.task(task))?.noteAtMs;
    await store.setNote(task, 500, 100);
    await store.setNote(task, 600, 110); // The one at 500 comes first.
    expect(await known()).toBe(500);
    await store.setNote(task, 300, 120);
    expect(await known()).toBe(300);
    await store.setNote(task, 900, 301); // The one at 300 should have come.
    expect(await known()).toBe(900);
    expect(await store.clearNote(task, 899)).toBe('refused');
    expect(await known()).toBe(900);
    expect(await store.clearNote(task, 900)).toBe('done');
    expect(await known()).toBeUndefined();
    expect(await store.clearNote(task, 900)).toBe('done');
  });

  test('changes a task only from the states that are named', async () => {
    const task = await runningTask(store);
    expect(await store.setTaskState(task, ['draft', 'stopped'], 'completed', 'x')).toBe('refused');
    expect(await store.setTaskState(task, ['running'], 'completed', 'reached 3 rounds')).toBe('done');
    expect(await store.task(task)).toMatchObject({ state: 'completed', stateReason: 'reached 3 rounds' });
  });

  test('seals a version once, and none that is not there', async () => {
    const task = await runningTask(store);
    expect(await store.setSeal(task, 7, 'a.b.c', undefined)).toBe('refused');
    expect(await store.version(task, 7)).toBeUndefined();
    await store.publish(task, versionRecord(1), 0);
    const outcomes = await Promise.all(
      ['first', 'second', 'third'].map((seal) => store.setSeal(task, 1, seal, undefined)),
    );
    expect(outcomes.filter((outcome) => outcome === 'sealed')).toHaveLength(1);
    expect((await store.version(task, 1))?.seal).toBe(['first', 'second', 'third'][outcomes.indexOf('sealed')]);
  });

  test("finds a client's tickets in every task, and forgets those that have ended", async () => {
    const [task, other] = [await runningTask(store), await runningTask(store)];
    const { ticket, entry } = await admitted(task, 'erased', '1');
    const elsewhere = await admitted(other, 'erased', '1');
    const kept = await admitted(task, 'kept', '2');
    const record = { ticket: ticket.ticket, client: 'erased', reason: 'too-stale', detail: 'late', atMs: 5 };
    await store.quarantine(ticket, 'admitted', record, entry);
    const found = await store.ticketsOf('erased' as ClientId);
    expect(found.map((each) => each.ticket).sort()).toEqual([ticket.ticket, elsewhere.ticket.ticket].sort());
    for (const each of [...found, ...found]) await store.forgetTicket(each);
    expect(await store.ticketsOf('erased' as ClientId)).toEqual([]);
    expect(await store.ticket(ticket.ticket)).toBeUndefined();
    expect(await store.quarantined(task, 10)).toEqual([]);
    expect(await store.ticket(kept.ticket.ticket)).toMatchObject({ state: 'admitted' });
    expect(await store.ticketsOf('kept' as ClientId)).toHaveLength(1);
  });

  test('ends the attempt under way with the task, and with no other change of its state', async () => {
    const task = await runningTask(store);
    expect(await store.setTaskState(task, ['running'], 'stopped', 'x')).toBe('done');
    expect(await store.setTaskState(task, ['stopped'], 'running', 'x')).toBe('done');
    expect(await store.task(task)).toMatchObject({ attempt: 0 });
    expect(await store.setTaskState(task, ['running'], 'completed', 'x')).toBe('done');
    expect(await store.setTaskState(task, ['running'], 'completed', 'x')).toBe('refused');
    expect(await store.task(task)).toMatchObject({ attempt: 1 });
    expect(await store.publish(task, versionRecord(1), 0)).toBe('superseded');
  });

  test('keeps the first evaluation of a version', async () => {
    const task = await runningTask(store);
    await store.setEvaluation(task, 0, { loss: 1, accuracy: 0.5, examples: 10 });
    await store.setEvaluation(task, 0, { loss: 2, accuracy: 0.25, examples: 10 });
    expect((await store.version(task, 0))?.evaluation).toEqual({ loss: 1, accuracy: 0.5, examples: 10 });
  });

  test('takes no seal that says less than the record, and no evaluation after the seal', async () => {
    const task = await runningTask(store);
    const evaluation = { loss: 1, accuracy: 0.5, examples: 10 };
    await store.setEvaluation(task, 0, evaluation);
    expect(await store.setSeal(task, 0, 'without', undefined)).toBe('refused');
    expect(await store.setSeal(task, 0, 'with', evaluation)).toBe('sealed');
    await store.publish(task, versionRecord(1), 0);
    expect(await store.setSeal(task, 1, 'with', evaluation)).toBe('refused');
    expect(await store.setSeal(task, 1, 'without', undefined)).toBe('sealed');
    await store.setEvaluation(task, 1, evaluation);
    expect(await store.version(task, 1)).not.toHaveProperty('evaluation');
  });
});
