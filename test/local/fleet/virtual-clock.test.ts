import { expect, test } from 'vitest';
import { virtualClock } from '../../../local/fleet/virtual-clock.ts';

const nothing = async () => {};

test('wakes activities in the order of their virtual time, not of real time', async () => {
  const clock = virtualClock(nothing);
  const seen: string[] = [];
  const activity = (name: string, naps: number[]) => async () => {
    for (const ms of naps) {
      await clock.sleep(ms);
      seen.push(`${name}@${clock.now()}`);
    }
  };
  await clock.run([activity('a', [30, 30]), activity('b', [10, 10, 50]), activity('c', [3_600_000])]);
  expect(seen).toEqual(['b@10', 'b@20', 'a@30', 'a@60', 'b@70', 'c@3600000']);
});

test('runs one activity at a time, through its real work, and settles between two turns', async () => {
  let inside = 0;
  let most = 0;
  let settled = 0;
  const clock = virtualClock(async () => {
    expect(inside).toBe(0);
    settled++;
  });
  const activity = async () => {
    for (let i = 0; i < 3; i++) {
      await clock.sleep(10);
      inside++;
      most = Math.max(most, inside);
      await new Promise((resolve) => setImmediate(resolve));
      inside--;
    }
  };
  await clock.run([activity, activity, activity]);
  expect(most).toBe(1);
  // Three activities, each with its start and three naps, and the look after the last.
  expect(settled).toBe(13);
});

test('breaks ties by who went to sleep first', async () => {
  const clock = virtualClock(nothing);
  const seen: number[] = [];
  const activity = (name: number) => async () => {
    await clock.sleep(5);
    seen.push(name);
  };
  await clock.run([activity(1), activity(2), activity(3)]);
  expect(seen).toEqual([1, 2, 3]);
});

test('ends with the failure of an activity', async () => {
  const clock = virtualClock(nothing);
  const failing = async () => {
    await clock.sleep(1);
    throw new Error('broken');
  };
  await expect(clock.run([failing, () => clock.sleep(1_000_000)])).rejects.toThrow('broken');
});

test('a sleeper whose signal aborts wakes with its reason', async () => {
  const clock = virtualClock(nothing);
  const stop = new AbortController();
  const reasons: unknown[] = [];
  await clock.run([
    () => clock.sleep(100, stop.signal).catch((reason: unknown) => void reasons.push(reason)),
    async () => stop.abort('enough'),
  ]);
  expect(reasons).toEqual(['enough']);
});
