import { expect, test } from 'vitest';
import type { Train } from '../../../client/typescript/participation.ts';
import { createFleet } from '../../../local/fleet/fleet.ts';
import type { FleetEvent, FleetOptions } from '../../../local/fleet/fleet-options.ts';
import { defaultTraits, drawProfile } from '../../../local/fleet/profile.ts';
import { virtualClock } from '../../../local/fleet/virtual-clock.ts';
import { randomFrom } from '../../../shared/core/random.ts';
import { generateClientKey } from '../../../shared/wire/identity/keys.ts';
import { fakeTask, signerOf } from './fake-task.ts';

const clients = await Promise.all(Array.from({ length: 12 }, (_, i) => generateClientKey(`device-${i}`)));
const train = async (_: string, { params }: Parameters<Train>[0]) => ({ params: params.values.slice(), examples: 3 });

function fleetOn(task: ReturnType<typeof fakeTask>, more: Partial<FleetOptions> = {}) {
  return createFleet({
    endpoint: 'http://api.test',
    task: 'task',
    clients,
    traits: { ...defaultTraits, dropOuts: 0 },
    concurrency: 5,
    random: randomFrom(1),
    clock: virtualClock(async () => {}),
    dropOutsLeave: 'before-ticket',
    train,
    transport: task.transport,
    ...more,
  });
}

test('trains until the task ends, and accounts for every ticket', async () => {
  const task = fakeTask({ cap: 10, updates: 40 });
  const { clients: activities } = await fleetOn(task).run();
  const sum = (count: (activity: (typeof activities)[number]) => number) =>
    activities.reduce((total, activity) => total + count(activity), 0);
  expect(task.uploaded.length).toBeGreaterThanOrEqual(40);
  expect(sum(({ updates }) => updates)).toBe(task.uploaded.length);
  expect(sum(({ tickets }) => tickets)).toBe(task.issued.length);
  expect(task.issued.toSorted()).toEqual(task.uploaded.toSorted());
});

test('the same seed gives the same order of tickets and uploads on virtual time, another seed another', async () => {
  const orderOf = async (seed: number) => {
    const task = fakeTask({ cap: 10, updates: 40 });
    await fleetOn(task, { random: randomFrom(seed), traits: defaultTraits }).run();
    return { issued: task.issued, uploaded: task.uploaded };
  };
  const first = await orderOf(1);
  expect(await orderOf(1)).toEqual(first);
  expect(await orderOf(2)).not.toEqual(first);
});

test('slow devices upload later than fast ones that started after them', async () => {
  const task = fakeTask({ cap: 10, updates: 60 });
  await fleetOn(task).run();
  expect(task.uploaded).not.toEqual(task.issued);
});

test('a full task is asked by one client at a time, and not before it said', async () => {
  const task = fakeTask({ cap: 2, updates: 30 });
  const waits: FleetEvent[] = [];
  await fleetOn(task, { onEvent: (event) => event.kind === 'waiting' && waits.push(event) }).run();
  expect(task.mostAsking).toBe(1);
  expect(task.uploaded.length).toBeGreaterThanOrEqual(30);
  // Two devices at work, each for some 400 ms, and a question every 500 ms at most: refusals stay of the order of updates.
  expect(waits.length).toBeLessThan(2 * task.uploaded.length);
});

test('a device that drops out with its ticket uploads nothing and is not asked again before the ticket expires', async () => {
  const task = fakeTask({ cap: 1_000, updates: 20 });
  const dropped = new Set<string>();
  const fleet = fleetOn(task, {
    dropOutsLeave: 'with-ticket',
    traits: { ...defaultTraits, dropOuts: 0.1 },
    onEvent: (event) => event.kind === 'dropped-out' && dropped.add(event.client),
  });
  const { clients: activities } = await fleet.run();
  expect(dropped.size).toBeGreaterThan(0);
  for (const { client, tickets, updates, dropOuts } of activities) {
    expect(tickets).toBe(updates + dropOuts);
    // The fake ticket expires at 1,000,000 ms of virtual time, long after the task has ended.
    if (dropped.has(client)) expect(dropOuts).toBe(1);
  }
});

test("one device's diverged training does not end the run", async () => {
  const task = fakeTask({ cap: 10, updates: 15 });
  const failures: string[] = [];
  await fleetOn(task, {
    train: async (client, input) =>
      client === 'device-3' ? { params: Float32Array.of(Number.NaN, 0), examples: 1 } : train(client, input),
    onEvent: (event) => event.kind === 'failed' && failures.push(`${event.client} ${event.error.code}`),
  }).run();
  expect(new Set(failures)).toEqual(new Set(['device-3 update-not-finite']));
  expect(task.uploaded).not.toContain('device-3');
});

test('a client that its operator revokes leaves the fleet, and the others go on', async () => {
  const task = fakeTask({ cap: 10, updates: 40 });
  const failures: string[] = [];
  const transport: FleetOptions['transport'] = async (request) => {
    const revoked = task.uploaded.length >= 10 && signerOf(request) === 'device-3';
    return revoked ? { status: 403, headers: {}, body: new Uint8Array() } : task.transport(request);
  };
  const onEvent = (event: FleetEvent) => {
    if (event.kind === 'failed') failures.push(`${event.client} ${event.error.code}`);
  };
  await fleetOn(task, { transport, onEvent }).run();
  expect(failures).toEqual(['device-3 identity-refused']);
  expect(task.uploaded.length).toBeGreaterThanOrEqual(40);
});

test('a federation that knows none of the clients ends the run', async () => {
  const transport: FleetOptions['transport'] = async () => ({ status: 403, headers: {}, body: new Uint8Array() });
  await expect(fleetOn(fakeTask({ cap: 1, updates: 1 }), { transport }).run()).rejects.toMatchObject({
    code: 'identity-refused',
  });
});

test('a refusal by the API ends the run with its code', async () => {
  const refusing = fakeTask({ cap: 1, updates: 1 });
  const transport: FleetOptions['transport'] = async (request) =>
    request.url.endsWith('/tickets')
      ? { status: 404, headers: {}, body: new TextEncoder().encode('{"code":"task-unknown","detail":"no such task"}') }
      : refusing.transport(request);
  await expect(fleetOn(refusing, { transport }).run()).rejects.toMatchObject({ code: 'task-unknown' });
});

test('counts the bytes that clients move', async () => {
  const task = fakeTask({ cap: 10, updates: 5 });
  const { traffic } = await fleetOn(task).run();
  // An update is two float32 values and its header.
  expect(traffic.up).toBeGreaterThan(task.uploaded.length * 8);
  expect(traffic.down).toBeGreaterThan(task.issued.length * 8);
});

test('draws the same devices for asynchronous and synchronous runs of a seed', async () => {
  const { activities } = fleetOn(fakeTask({ cap: 1, updates: 1 }));
  for (const { client, profile } of activities) {
    expect(profile).toEqual(drawProfile({ ...defaultTraits, dropOuts: 0 }, randomFrom(1), client));
  }
});

test('on virtual time what an upload sets off settles before anyone asks for the next ticket', async () => {
  const task = fakeTask({ cap: 10, updates: 30 });
  const log: string[] = [];
  const transport: FleetOptions['transport'] = (request) => {
    if (request.method === 'PUT') log.push('upload');
    if (request.url.endsWith('/tickets')) log.push('ask');
    return task.transport(request);
  };
  const clock = virtualClock(async () => {
    log.push('settle');
  });
  await fleetOn(task, { transport, clock }).run();
  expect(log.filter((step) => step === 'upload')).toHaveLength(task.uploaded.length);
  for (const [i, step] of log.entries()) if (step === 'upload') expect(log[i + 1]).toBe('settle');
});
