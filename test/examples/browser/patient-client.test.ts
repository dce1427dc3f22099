import { describe, expect, test } from 'vitest';
import type { Train } from '../../../client/typescript/participation.ts';
import { memoryStore, type Store } from '../../../client/typescript/store.ts';
import { Gate } from '../../../examples/browser/worker/gate.ts';
import { PatientClient } from '../../../examples/browser/worker/patient-client.ts';
import { ann } from '../../client/ann.ts';
import { fakeServer, json, problem, ticket, ticketId } from '../../client/fake-server.ts';

const train: Train = async ({ params }) => ({ params: params.values.map((value) => value + 1), examples: 4 });
const status = (state: string) => json(200, { ticket: ticketId, task: 'task', state, baseVersion: 7 });

function clientOf(
  server: ReturnType<typeof fakeServer>,
  {
    store,
    nowMs = 0,
    gate = new Gate(),
    agree = async () => {},
  }: {
    store?: Store;
    nowMs?: number;
    gate?: Gate;
    agree?: (purpose: string | undefined) => Promise<void>;
  } = {},
) {
  const surroundings = { now: () => nowMs, random: () => 0, sleep: async () => {} };
  return new PatientClient(
    { endpoint: 'http://api.test/', identity: ann, transport: server.transport, store, surroundings },
    { pass: () => gate.pass(), agree },
  );
}

/** A store as a page leaves it that is closed while it trains. */
async function interrupted(server: ReturnType<typeof fakeServer>): Promise<Store> {
  const store = memoryStore();
  const closed = clientOf(server, { store }).participate('task', {
    train: async () => {
      throw new Error('closed');
    },
  });
  await expect(closed).rejects.toThrow('closed');
  return store;
}

describe('after an interruption', () => {
  test('it trains for the ticket that it has, and forgets it once there is an update', async () => {
    const server = fakeServer({ status: [status('issued')] });
    const store = await interrupted(server);
    await clientOf(server, { store }).participate('task', { train, maxUpdates: 1 });
    expect([server.count('ticket'), server.count('put')]).toEqual([1, 1]);
    await clientOf(server, { store }).participate('task', { train, maxUpdates: 1 });
    expect([server.count('ticket'), server.count('put')]).toEqual([2, 2]);
  });

  test.each([
    ['has used it', status('admitted')],
    ['let it run out', status('expired')],
    ['does not know it', problem(404, 'ticket-unknown')],
  ])('it asks for another where the federation %s', async (_, answer) => {
    const server = fakeServer({ status: [answer] });
    const store = await interrupted(server);
    await clientOf(server, { store }).participate('task', { train, maxUpdates: 1 });
    expect([server.count('ticket'), server.count('put')]).toEqual([2, 1]);
  });

  test('it asks for another where its own clock says that it ran out', async () => {
    const server = fakeServer();
    const store = await interrupted(server);
    const late = clientOf(server, { store, nowMs: ticket.expiresAtMs });
    await late.participate('task', { train, maxUpdates: 1 });
    expect([server.count('status'), server.count('ticket')]).toEqual([0, 2]);
  });
});

test('asks for nothing while it is paused', async () => {
  const server = fakeServer();
  const gate = new Gate();
  gate.close();
  const taking = clientOf(server, { gate }).participate('task', { train, maxUpdates: 1 });
  await new Promise((resolve) => setImmediate(resolve));
  expect(server.requests).toEqual([]);
  gate.open();
  expect(await taking).toMatchObject({ updates: 1 });
});

test('downloads nothing before the user agrees to the purpose of the ticket', async () => {
  const server = fakeServer({ ticket: [json(200, { ...ticket, purpose: 'To sell soap' })] });
  const asked = Promise.withResolvers<string | undefined>();
  const answer = Promise.withResolvers<void>();
  const agree = (purpose: string | undefined) => {
    asked.resolve(purpose);
    return answer.promise;
  };
  const taking = clientOf(server, { agree }).participate('task', { train, maxUpdates: 1 });
  expect(await asked.promise).toBe('To sell soap');
  expect(server.requests.map(({ step }) => step)).toEqual(['ticket']);
  answer.resolve();
  expect(await taking).toMatchObject({ updates: 1 });
});
