import { expect, test } from 'vitest';
import { scenarios } from '../../../bench/scale/account.ts';
import { collect } from '../../../bench/scale/collect.ts';
import { Events } from '../../../bench/scale/events.ts';
import { Pool, Rate, Serial } from '../../../bench/scale/stations.ts';
import { World } from '../../../bench/scale/world.ts';

test('events happen in the order of their times, also those that others add', () => {
  const events = new Events();
  const seen: number[] = [];
  for (const time of [5, 1, 4, 2]) events.at(time, () => seen.push(events.now));
  events.at(1.5, () => events.at(3, () => seen.push(events.now)));
  events.run();
  expect(seen).toEqual([1, 2, 3, 4, 5]);
});

test('a rate grants its burst at once and the rest as it flows in', () => {
  const rate = new Rate('ten a second', 10, 5);
  const granted = Array.from({ length: 8 }, () => rate.take(0));
  expect(granted).toEqual([0, 0, 0, 0, 0, expect.closeTo(0.1), expect.closeTo(0.2), expect.closeTo(0.3)]);
  expect(rate.take(100)).toBe(100); // Full again.
  expect(rate.utilisation(2)).toBeCloseTo((9 - 5) / 10 / 2);
});

test('what holds an item waits for who holds it', () => {
  const item = new Serial('item');
  expect([item.hold(0, 2), item.hold(1, 2), item.hold(10, 2)]).toEqual([2, 4, 12]);
  expect(item.utilisation(12)).toBe(0.5);
});

test('a pool serves in the order of arrival', () => {
  const pool = new Pool('two', 2);
  const started: string[] = [];
  for (const name of ['a', 'b', 'c', 'd']) pool.acquire(() => started.push(name));
  expect(started).toEqual(['a', 'b']);
  pool.release(3);
  pool.release(3);
  expect(started).toEqual(['a', 'b', 'c', 'd']);
  expect(pool.utilisation(3)).toBe(1);
});

test('one counts item takes two transactions of 15 ms an update, 64 take no time that shows', () => {
  const [, raised, lifted] = scenarios;
  const seconds = (scenario: ConstructorParameters<typeof World>[0]) =>
    collect(new World(scenario), { count: 1_000, bytes: 1_000 });
  expect(seconds({ ...lifted, shards: 1 })).toBeGreaterThan(1_000 * 2 * 0.015);
  expect(seconds(lifted)).toBeLessThan(2);
  expect(seconds(raised)).toBeGreaterThan(30);
});

test('what admissions read grows with the round, not with its square', () => {
  const [deployed] = scenarios;
  const readUnits = (count: number) => {
    const world = new World(deployed);
    collect(world, { count, bytes: 1_000 });
    return world.usage()['dynamodb.readUnits'] ?? 0;
  };
  const ratio = readUnits(4_000) / readUnits(2_000);
  expect(ratio).toBeGreaterThan(1.8);
  expect(ratio).toBeLessThan(2.2);
});
