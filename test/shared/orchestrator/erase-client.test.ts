import { beforeEach, expect, test } from 'vitest';
import { eraseClient } from '../../../shared/orchestrator/erase-client.ts';
import type { ErasureRecord } from '../../../shared/ports/identity-store.ts';
import { clientId, MemoryFederation, taskId } from '../../memory/federation.ts';
import { MemoryIdentityStore } from '../../memory/memory-identity-store.ts';

const task = taskId('medical');
const [ada, bob] = [clientId('ada'), clientId('bob')];
let federation: MemoryFederation;
let identities: MemoryIdentityStore;

const erase = (): Promise<ErasureRecord> => eraseClient({ ...federation.ports, identities }, ada);
const step = (size = 1) => new Float32Array(federation.layout.size).fill(size);
const ticketsOf = (client: typeof ada) => federation.rounds.ticketsOf(client);

beforeEach(async () => {
  federation = new MemoryFederation();
  identities = new MemoryIdentityStore();
  for (const client of [ada, bob]) {
    identities.records.set(client, { client, state: 'active', enrolledAtMs: 1, keys: [] });
  }
  await federation.start({ task, round: { buffer: 2 } });
  await federation.contribute(task, ada, step());
  await federation.contribute(task, bob, step(2));
  await federation.runStarted();
});

test('erasing deletes keys, tickets, quarantine records and stored updates, and says which versions learned', async () => {
  await federation.contribute(task, ada, step(Number.NaN)); // Quarantined: its bytes are kept as evidence.
  expect(federation.updates.objects.size).toBe(1);
  const { versions, updatesDeleted, pending } = await erase();
  expect({ versions, updatesDeleted, pending }).toEqual({
    versions: [{ task, version: 1 }],
    updatesDeleted: 2,
    pending: 0,
  });
  expect(federation.updates.objects.size).toBe(0);
  expect(await ticketsOf(ada)).toEqual([]);
  expect(await federation.rounds.quarantined(task, 50)).toEqual([]);
  expect(await identities.client(ada)).toBeUndefined();
  expect(await identities.erasure(ada)).toMatchObject({ client: ada, versions: [{ task, version: 1 }] });
});

test('erasing leaves every other client as it was', async () => {
  const before = await ticketsOf(bob);
  await erase();
  expect(before).toHaveLength(1);
  expect(await ticketsOf(bob)).toEqual(before);
  expect(await identities.client(bob)).toBeDefined();
});

test('an update that waits for a round is pending, counts once, and is found by erasing again', async () => {
  await federation.contribute(task, ada, step());
  expect(await erase()).toMatchObject({ pending: 1, versions: [{ task, version: 1 }] });
  await federation.contribute(task, bob, step());
  await federation.runStarted();
  expect((await federation.rounds.version(task, 2))?.updates).toBe(2);
  expect(await erase()).toMatchObject({
    pending: 0,
    updatesDeleted: 2,
    versions: [
      { task, version: 1 },
      { task, version: 2 },
    ],
  });
  expect(await ticketsOf(ada)).toEqual([]);
});

test('a ticket that is open ends, and its update, should it come, is deleted', async () => {
  const arrival = await federation.upload(task, ada, step());
  await erase();
  await federation.admit(arrival);
  expect(federation.updates.objects.size).toBe(0);
  expect((await federation.rounds.counts(task)).open).toBe(0);
});

test('erasing twice changes nothing more, and a stranger cannot be erased', async () => {
  const first = await erase();
  expect(await erase()).toEqual(first);
  await expect(eraseClient({ ...federation.ports, identities }, clientId('nobody'))).rejects.toThrow('client-unknown');
});
