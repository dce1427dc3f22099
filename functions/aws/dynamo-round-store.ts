import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { FlError } from '../../shared/core/errors.ts';
import type { ClientId, TaskId, TicketId } from '../../shared/core/names.ts';
import type {
  BufferEntry,
  Consumed,
  Pace,
  RoundStore,
  TaskRecord,
  TicketCounts,
  TicketRecord,
  UploadBinding,
  VersionRecord,
} from '../../shared/ports/round-store.ts';
import { uploadGraceMs } from '../../shared/ports/round-store.ts';
import type { QuarantineRecord, TaskState } from '../../shared/wire/api.ts';
import type { RoundInput } from '../../shared/wire/workflow.ts';
import {
  keys,
  readBufferEntry,
  readCounts,
  readPace,
  readQuarantine,
  readTask,
  readTicket,
  readVersion,
  taskItem,
  ttlAfter,
} from './dynamo-items.ts';
import { DynamoTable } from './dynamo-table.ts';
import type { Write } from './dynamo-transaction.ts';
import { openBelow, TicketWrites } from './ticket-writes.ts';

const absent = 'attribute_not_exists(pk)';
/** Two writes an update, 100 in a transaction. */
const consumeBatch = 50;

/** The round store in one DynamoDB table: conditional writes and transactions, strongly consistent reads. */
export class DynamoRoundStore implements RoundStore {
  readonly #table: DynamoTable;
  readonly #tickets: TicketWrites;

  constructor(client: DynamoDBDocumentClient, table: string) {
    this.#table = new DynamoTable(client, table);
    this.#tickets = new TicketWrites(this.#table);
  }

  async createTask(record: TaskRecord): Promise<'created' | 'exists'> {
    const done = await this.#table.transact([
      this.#table.put(taskItem(record), absent),
      this.#table.put({ ...keys.taskListed(record.task), task: record.task }),
    ]);
    return done ? 'created' : 'exists';
  }

  async task(task: TaskId): Promise<TaskRecord | undefined> {
    const item = await this.#table.get(keys.task(task));
    return item && readTask(item);
  }

  async tasks(): Promise<readonly TaskRecord[]> {
    const listed = await this.#table.query('TASKS');
    const records = await Promise.all(listed.map(({ task }) => this.task(task as TaskId)));
    return records.flatMap((record) => record ?? []);
  }

  async setTaskState(task: TaskId, from: readonly TaskState[], to: TaskState, reason: string) {
    const allowed = from.map((state, i) => [`:from${i}`, state] as const);
    return this.#table.update({
      Key: keys.task(task),
      UpdateExpression: 'SET #state = :to, stateReason = :reason, failures = :zero ADD attempt :moves',
      ConditionExpression: `#state IN (${allowed.map(([name]) => name).join(', ')})`,
      ExpressionAttributeNames: { '#state': 'state' },
      ExpressionAttributeValues: {
        ':to': to,
        ':reason': reason,
        ':zero': 0,
        ':moves': to === 'completed' ? 1 : 0,
        ...Object.fromEntries(allowed),
      },
    });
  }

  async issueTicket(
    record: TicketRecord,
    cap: number,
    admitted?: number,
  ): Promise<'issued' | 'full' | 'client-busy' | 'conflict'> {
    if (cap <= 0) return 'full';
    const { task, client, ticket, expiresAtMs, baseVersion } = record;
    const outcome = await this.#table.attempt([
      this.#tickets.count(task, { issued: 1, open: 1 }, openBelow(cap, admitted)),
      this.#table.put({ ...keys.open(task, client), ticket, expiresAtMs, baseVersion }, absent),
      this.#table.put({ ...keys.ticket(ticket), ...record, ttl: ttlAfter(expiresAtMs) }, absent),
      this.#table.put({ ...keys.ticketOf(client, ticket), ttl: ttlAfter(expiresAtMs) }),
      ...(admitted === undefined ? [] : [this.#table.check(keys.task(task), '#version = :version', baseVersion)]),
    ]);
    if (outcome.kind === 'done') return 'issued';
    if (outcome.kind === 'conflict') return 'conflict';
    return outcome.index === 1 ? 'client-busy' : 'full';
  }

  async ticket(ticket: TicketId): Promise<TicketRecord | undefined> {
    const item = await this.#table.get(keys.ticket(ticket));
    return item && readTicket(item);
  }

  async openTicket(task: TaskId, client: ClientId): Promise<TicketId | undefined> {
    const item = await this.#table.get(keys.open(task, client));
    return item && (item.ticket as TicketId);
  }

  async ticketsOf(client: ClientId): Promise<readonly TicketRecord[]> {
    const listed = await this.#table.query(keys.ticketOf(client, '' as TicketId).pk);
    const records = await Promise.all(listed.map(({ sk }) => this.ticket(sk as TicketId)));
    return records.flatMap((record) => record ?? []);
  }

  async forgetTicket({ ticket, task, client, state }: TicketRecord): Promise<void> {
    const writes = [this.#table.delete(keys.ticket(ticket)), this.#table.delete(keys.ticketOf(client, ticket))];
    if (state === 'quarantined') {
      // The record's key has the time that only it knows.
      const all = (await this.#table.query(`QUARANTINE#${task}`)).map(readQuarantine);
      const record = all.find((each) => each.ticket === ticket);
      if (record) writes.push(this.#table.delete(keys.quarantine(task, record)));
    }
    await this.#table.transact(writes);
  }

  async bindUpload({ ticket, task, client, expiresAtMs }: TicketRecord, upload: UploadBinding) {
    const done = await this.#table.transact([
      this.#table.change({
        Key: keys.ticket(ticket),
        UpdateExpression: 'SET #state = :uploading, upload = :upload',
        ConditionExpression:
          '#state = :issued OR (#state = :uploading AND upload.sha256 = :sha256 AND upload.examples = :examples)',
        ExpressionAttributeNames: { '#state': 'state' },
        ExpressionAttributeValues: {
          ':issued': 'issued',
          ':uploading': 'uploading',
          ':upload': upload,
          ':sha256': upload.sha256,
          ':examples': upload.examples,
        },
      }),
      this.#table.change({
        Key: keys.open(task, client),
        UpdateExpression: 'SET expiresAtMs = :until',
        ConditionExpression: 'ticket = :ticket',
        ExpressionAttributeValues: { ':until': expiresAtMs + uploadGraceMs, ':ticket': ticket },
      }),
    ]);
    return done ? 'bound' : 'refused';
  }

  async admit(record: TicketRecord, entry: BufferEntry) {
    const done = await this.#table.transact([
      this.#tickets.move(record.ticket, ['uploading'], 'admitted'),
      this.#table.put({ ...keys.buffer(record.task, entry.sequence), ...entry }, absent),
      this.#tickets.close(record),
      this.#tickets.count(record.task, { open: -1, admitted: 1 }),
      ...(record.missed ? [this.#table.delete(keys.pace(record.task, record.client))] : []),
    ]);
    return done ? 'admitted' : 'already';
  }

  async quarantine(
    ticket: TicketRecord,
    from: 'uploading' | 'expired' | 'admitted',
    record: QuarantineRecord,
    entry?: Pick<BufferEntry, 'sequence'>,
    round?: RoundInput,
  ) {
    const left: Write[] =
      from === 'uploading'
        ? [this.#tickets.close(ticket), this.#tickets.count(ticket.task, { open: -1, quarantined: 1 })]
        : [this.#tickets.count(ticket.task, from === 'expired' ? { expired: -1, quarantined: 1 } : { quarantined: 1 })];
    if (entry) left.push(this.#table.delete(keys.buffer(ticket.task, entry.sequence), 'attribute_exists(pk)'));
    if (round) left.push(this.#table.change(moveOn(round, 'not-ready')));
    const done = await this.#table.transact([
      this.#tickets.move(ticket.ticket, [from], 'quarantined', { reason: record.reason }),
      this.#table.put({ ...keys.quarantine(ticket.task, record), ...record, ttl: ttlAfter(record.atMs) }),
      ...left,
    ]);
    return done ? 'quarantined' : 'already';
  }

  async expireTickets(task: TaskId, nowMs: number, oldestBase = 0): Promise<number> {
    const open = await this.#table.query(keys.open(task, '' as ClientId).pk);
    let expired = 0;
    for (const { ticket, sk, expiresAtMs, baseVersion } of open) {
      const isOld = Number(baseVersion) < oldestBase;
      if (Number(expiresAtMs) > nowMs && !isOld) continue;
      const held = { task, client: sk as ClientId, ticket: ticket as TicketId };
      const reason = isOld ? `is for version ${baseVersion}, which is past` : 'ran out before its update was admitted';
      if ((await this.expireTicket(held, reason, isOld ? undefined : Number(expiresAtMs))) === 'expired') expired++;
    }
    return expired;
  }

  async pace(task: TaskId, client: ClientId): Promise<Pace | undefined> {
    const item = await this.#table.get(keys.pace(task, client));
    return item && readPace(item);
  }

  async expireTicket(held: Pick<TicketRecord, 'task' | 'client' | 'ticket'>, reason: string, missedAtMs?: number) {
    const done = await this.#table.transact([
      this.#tickets.move(held.ticket, ['issued', 'uploading'], 'expired', { reason }),
      this.#tickets.close(held),
      this.#tickets.count(held.task, { open: -1, expired: 1 }),
      ...(missedAtMs === undefined ? [] : [this.#tickets.countMissed(held, missedAtMs)]),
    ]);
    return done ? 'expired' : 'already';
  }

  async counts(task: TaskId): Promise<TicketCounts> {
    return readCounts(await this.#table.get(keys.counts(task)));
  }

  async quarantined(task: TaskId, limit: number): Promise<readonly QuarantineRecord[]> {
    return (await this.#table.query(`QUARANTINE#${task}`, { limit, newestFirst: true })).map(readQuarantine);
  }

  async buffer(task: TaskId, limit: number): Promise<readonly BufferEntry[]> {
    return (await this.#table.query(keys.buffer(task, '').pk, { limit })).map(readBufferEntry);
  }

  async setDeadline(task: TaskId, version: number, atMs: number): Promise<void> {
    await this.#table.update({
      Key: keys.task(task),
      UpdateExpression: 'SET deadline = :deadline',
      ConditionExpression: '#version = :version AND (attribute_not_exists(deadline) OR deadline.#version <> :version)',
      ExpressionAttributeNames: { '#version': 'version' },
      ExpressionAttributeValues: { ':deadline': { version, atMs }, ':version': version },
    });
  }

  async setNote(task: TaskId, atMs: number, nowMs: number): Promise<void> {
    await this.#table.update({
      Key: keys.task(task),
      UpdateExpression: 'SET noteAtMs = :at',
      ConditionExpression:
        'attribute_exists(pk) AND (attribute_not_exists(noteAtMs) OR noteAtMs < :now OR noteAtMs > :at)',
      ExpressionAttributeValues: { ':at': atMs, ':now': nowMs },
    });
  }

  async clearNote(task: TaskId, atMs: number) {
    return this.#table.update({
      Key: keys.task(task),
      UpdateExpression: 'REMOVE noteAtMs',
      ConditionExpression: 'attribute_exists(pk) AND (attribute_not_exists(noteAtMs) OR noteAtMs <= :at)',
      ExpressionAttributeValues: { ':at': atMs },
    });
  }

  async nextAttempt(round: RoundInput, outcome: 'failed' | 'not-ready') {
    return this.#table.update(moveOn(round, outcome));
  }

  async clearFailures(task: TaskId): Promise<void> {
    await this.#table.update({
      Key: keys.task(task),
      UpdateExpression: 'SET failures = :zero',
      ConditionExpression: 'attribute_exists(pk)',
      ExpressionAttributeValues: { ':zero': 0 },
    });
  }

  async publish(task: TaskId, record: VersionRecord, attempt: number) {
    const done = await this.#table.transact([
      this.#table.change({
        Key: keys.task(task),
        UpdateExpression: 'SET #version = :version, #model = :model REMOVE deadline',
        ConditionExpression: '#version = :parent AND attempt = :attempt',
        ExpressionAttributeNames: { '#version': 'version', '#model': 'model' },
        ExpressionAttributeValues: {
          ':version': record.version,
          ':parent': record.version - 1,
          ':attempt': attempt,
          ':model': record.model,
        },
      }),
      this.#table.put({ ...keys.version(task, record.version), ...record }, absent),
    ]);
    return done ? 'published' : 'superseded';
  }

  async version(task: TaskId, version: number): Promise<VersionRecord | undefined> {
    const item = await this.#table.get(keys.version(task, version));
    return item && readVersion(item);
  }

  async versions(task: TaskId): Promise<readonly VersionRecord[]> {
    return (await this.#table.query(keys.version(task, 0).pk)).map(readVersion);
  }

  async consume(task: TaskId, version: number, updates: readonly Consumed[]): Promise<void> {
    for (let start = 0; start < updates.length; start += consumeBatch) {
      const writes = updates
        .slice(start, start + consumeBatch)
        .flatMap(({ ticket, sequence }) => [
          this.#tickets.move(ticket, ['admitted', 'aggregated'], 'aggregated', { version }),
          this.#table.delete(keys.buffer(task, sequence)),
        ]);
      if (!(await this.#table.transact(writes))) {
        throw new FlError(
          'consume-refused',
          `an update of version ${version} of "${task}" is neither admitted nor aggregated`,
        );
      }
    }
    await this.#table.update({
      Key: keys.task(task),
      UpdateExpression: 'SET settledVersion = :version',
      ConditionExpression: 'settledVersion < :version',
      ExpressionAttributeValues: { ':version': version },
    });
  }

  async setSeal(task: TaskId, version: number, seal: string, evaluation: VersionRecord['evaluation']) {
    const outcome = await this.#table.update({
      Key: keys.version(task, version),
      UpdateExpression: 'SET seal = :seal',
      ConditionExpression: `attribute_exists(pk) AND attribute_not_exists(seal) AND ${
        evaluation ? 'attribute_exists' : 'attribute_not_exists'
      }(evaluation)`,
      ExpressionAttributeValues: { ':seal': seal },
    });
    return outcome === 'done' ? 'sealed' : 'refused';
  }

  async setEvaluation(task: TaskId, version: number, evaluation: NonNullable<VersionRecord['evaluation']>) {
    await this.#table.update({
      Key: keys.version(task, version),
      UpdateExpression: 'SET evaluation = :evaluation',
      ConditionExpression: 'attribute_exists(pk) AND attribute_not_exists(evaluation) AND attribute_not_exists(seal)',
      ExpressionAttributeValues: { ':evaluation': evaluation },
    });
  }
}

/** The task moves on to its next attempt, if the round is the one to come. */
function moveOn({ task, version, attempt }: RoundInput, outcome: 'failed' | 'not-ready') {
  return {
    Key: keys.task(task),
    UpdateExpression: 'ADD attempt :one, failures :failed',
    ConditionExpression: '#version = :parent AND attempt = :attempt',
    ExpressionAttributeNames: { '#version': 'version' },
    ExpressionAttributeValues: {
      ':one': 1,
      ':failed': outcome === 'failed' ? 1 : 0,
      ':parent': version - 1,
      ':attempt': attempt,
    },
  };
}
