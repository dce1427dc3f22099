import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { TicketId } from '../../../shared/core/names.ts';
import { BufferGauge } from '../../../shared/orchestrator/buffer-gauge.ts';
import { issueTicket } from '../../../shared/orchestrator/issue-ticket.ts';
import type { TaskRecord } from '../../../shared/ports/round-store.ts';
import { clientId, MemoryFederation, taskId } from '../../memory/federation.ts';

const task = taskId('gauged');
let federation: MemoryFederation;

const step = () => new Float32Array(federation.layout.size).fill(1);
const contribute = (i: number) => federation.contribute(task, `client-${i}`, step());

async function recordOf(): Promise<TaskRecord> {
  const record = await federation.rounds.task(task);
  if (!record) throw new Error('no task');
  return record;
}

beforeEach(() => {
  federation = new MemoryFederation();
});

describe('what a process knows of a buffer', () => {
  beforeEach(() => federation.start({ task, round: { buffer: 5 } }));

  test('is nothing before it has looked, and never less than the buffer holds', async () => {
    const gauge = new BufferGauge();
    expect(await gauge.most(federation.rounds, await recordOf())).toBeUndefined();
    await contribute(0);
    expect(await gauge.count(federation.rounds, await recordOf())).toBe(1);
    await contribute(1);
    await contribute(2);
    expect(await gauge.most(federation.rounds, await recordOf())).toBe(3);
    await contribute(3);
    await contribute(4);
    await federation.runStarted();
    expect(await federation.rounds.buffer(task, 9)).toEqual([]);
    expect(await gauge.most(federation.rounds, await recordOf())).toBe(5);
    expect(await gauge.count(federation.rounds, await recordOf())).toBe(0);
    expect(await gauge.most(federation.rounds, await recordOf())).toBe(0);
  });

  test('is forgotten of a full buffer, which may hold more than was counted, and of a task of the same name', async () => {
    const gauge = new BufferGauge();
    await gauge.count(federation.rounds, await recordOf());
    const record = await recordOf();
    expect(await gauge.most(federation.rounds, { ...record, createdAtMs: record.createdAtMs + 1 })).toBeUndefined();
    for (let i = 0; i < 5; i++) await contribute(i);
    expect(await gauge.count(federation.rounds, await recordOf())).toBe(5);
    expect(await gauge.most(federation.rounds, await recordOf())).toBeUndefined();
  });

  test('counts an update twice rather than not at all, if it is admitted while the buffer is read', async () => {
    const gauge = new BufferGauge();
    const buffer = federation.rounds.buffer.bind(federation.rounds);
    federation.rounds.buffer = async (id, limit) => {
      federation.rounds.buffer = buffer;
      await contribute(0);
      return buffer(id, limit);
    };
    await gauge.count(federation.rounds, await recordOf());
    expect(await gauge.most(federation.rounds, await recordOf())).toBe(2);
  });
});

test('a buffer that fills is read a few times, not once for every update, and the round starts with the last one', async () => {
  await federation.start({ task, round: { buffer: 60 }, selection: { concurrency: 60 } });
  const buffer = vi.spyOn(federation.rounds, 'buffer');
  for (let i = 0; i < 59; i++) await contribute(i);
  expect(buffer.mock.calls.length).toBeLessThan(5);
  expect(federation.started.size).toBe(0);
  await contribute(59);
  expect(federation.started.size).toBe(1);
});

test('open tickets are read only when a place is refused, and one that has run out makes room', async () => {
  await federation.start({ task, selection: { concurrency: 2, ticketLifetimeMs: 60_000 } });
  const ask = (client: string) => issueTicket(federation.ports, task, { client: clientId(client) });
  const expire = vi.spyOn(federation.rounds, 'expireTickets');
  const first = await ask('a');
  await ask('b');
  expect(expire).not.toHaveBeenCalled();
  await expect(ask('c')).rejects.toMatchObject({ code: 'cohort-full' });
  federation.nowMs += 60_000;
  expect((await ask('c')).ticket).not.toBe(first.ticket);
  expect((await federation.rounds.ticket(first.ticket as TicketId))?.state).toBe('expired');
});
