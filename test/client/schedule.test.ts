import { describe, expect, test } from 'vitest';
import {
  type DeviceState,
  mayTrain,
  parseBetween,
  parseOnlyWhen,
  type SchedulePolicy,
  schedule,
} from '../../client/typescript/schedule.ts';

const night: SchedulePolicy = { charging: true, idle: true, unmetered: true, between: { from: 22, to: 6 } };
const asleep: DeviceState = { charging: true, idle: true, metered: false, hour: 3 };

describe('a schedule', () => {
  test('asks for nothing by default', () => {
    expect(mayTrain({ charging: false, idle: false, metered: true, hidden: true, batteryLevel: 0 }, {})).toEqual({
      train: true,
    });
  });

  test.each<[string, DeviceState, string | undefined]>([
    ['all that it asks for', {}, undefined],
    ['a pulled plug', { charging: false }, 'not charging'],
    ['a user', { idle: false }, 'in use'],
    ['a metered connection', { metered: true }, 'on a metered connection'],
    ['the day', { hour: 12 }, "12 o'clock, outside 22-6"],
    ['the last hour of the night', { hour: 5 }, undefined],
    ['the first hour of the day', { hour: 6 }, "6 o'clock, outside 22-6"],
    ['the first hour of the night', { hour: 22 }, undefined],
  ])('under %s', (_, change, reason) => {
    expect(mayTrain({ ...asleep, ...change }, night)).toEqual(
      reason === undefined ? { train: true } : { train: false, reason },
    );
  });

  test('counts hours within a day too, and equal ones as all of it', () => {
    const hours = (between: SchedulePolicy['between']) =>
      Array.from({ length: 24 }, (_, hour) => hour).filter((hour) => mayTrain({ hour }, { between }).train);
    expect(hours({ from: 9, to: 12 })).toEqual([9, 10, 11]);
    expect(hours({ from: 23, to: 1 })).toEqual([0, 23]);
    expect(hours({ from: 7, to: 7 })).toHaveLength(24);
  });

  test('takes a low battery while it charges, and no other', () => {
    const policy = { minimumBattery: 0.3 };
    expect(mayTrain({ batteryLevel: 0.3 }, policy).train).toBe(true);
    expect(mayTrain({ batteryLevel: 0.1, charging: true }, policy).train).toBe(true);
    expect(mayTrain({ batteryLevel: 0.29, charging: false }, policy)).toEqual({
      train: false,
      reason: 'battery at 29%, below 30%',
    });
  });

  test('allows what a device cannot tell, unless told to refuse', () => {
    expect(mayTrain({}, night)).toEqual({ train: true });
    expect(mayTrain({}, { ...night, unknown: 'refuse' })).toEqual({
      train: false,
      reason: 'the device does not tell charging',
    });
    expect(mayTrain({}, { unknown: 'refuse' })).toEqual({ train: true });
  });

  test('stops a training for the power and the screen, not for the load and the hour that it makes itself', () => {
    expect(mayTrain({ ...asleep, idle: false, hour: 9, metered: true }, night, 'continue').train).toBe(true);
    expect(mayTrain({ ...asleep, charging: false }, night, 'continue').train).toBe(false);
    expect(mayTrain({ hidden: true }, { visible: true }, 'continue').train).toBe(false);
  });

  test('holds an upload back for the connection only', () => {
    expect(mayTrain({ charging: false, idle: false, metered: false, hour: 9 }, night, 'upload').train).toBe(true);
    expect(mayTrain({ ...asleep, metered: true }, night, 'upload').train).toBe(false);
  });

  test('reads the device anew each time', async () => {
    const states: DeviceState[] = [{ charging: false }, { charging: true }];
    const ask = schedule(async () => states.shift() ?? {}, { charging: true });
    expect([await ask('start'), await ask('start')]).toEqual([
      { train: false, reason: 'not charging' },
      { train: true },
    ]);
  });
});

describe('on a command line', () => {
  test('conditions are a list and hours a pair', () => {
    expect(parseOnlyWhen('charging, unmetered')).toEqual({ charging: true, unmetered: true });
    expect(parseBetween('22-6')).toEqual({ from: 22, to: 6 });
    expect(parseBetween('18-24')).toEqual({ from: 18, to: 0 });
  });

  test.each(['', 'charged', 'charging;idle', 'charging,'])('refuses the conditions %j', (text) => {
    expect(() => parseOnlyWhen(text)).toThrow(RangeError);
  });

  test.each(['', '22', '22-', '24-6', '22-25', '-1-5', '22:00-6:00'])('refuses the hours %j', (text) => {
    expect(() => parseBetween(text)).toThrow(RangeError);
  });
});
