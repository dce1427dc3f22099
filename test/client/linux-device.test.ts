import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { linuxDevice } from '../../client/typescript/linux-device.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tributary-device-'));
  mkdirSync(join(folder, 'power_supply'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

type Fields = Readonly<Record<string, string>>;

/** A device whose files say this, as the kernel writes them: with a line's end. */
function device(supplies: Readonly<Record<string, Fields>>, { load = '0.10', metered = 'u 4', hour = 3 } = {}) {
  for (const [name, fields] of Object.entries(supplies)) {
    mkdirSync(join(folder, 'power_supply', name));
    for (const [field, value] of Object.entries(fields)) {
      writeFileSync(join(folder, 'power_supply', name, field), `${value}\n`);
    }
  }
  writeFileSync(join(folder, 'loadavg'), `${load} 0.05 0.01 1/123 4567\n`);
  return linuxDevice({
    powerSupplies: join(folder, 'power_supply'),
    loadAverage: join(folder, 'loadavg'),
    cores: 4,
    run: async () => `${metered}\n`,
    now: () => new Date(2026, 0, 1, hour),
  })();
}

const battery = (status: string, capacity = '80') => ({ type: 'Battery', scope: 'System', status, capacity });
const plug = (online: string) => ({ type: 'Mains', online });

describe('power', () => {
  test.each<[string, Record<string, Fields>, object]>([
    [
      'a laptop that drains',
      { AC: plug('0'), BAT0: battery('Discharging', '41') },
      { charging: false, batteryLevel: 0.41 },
    ],
    [
      'a laptop that charges',
      { AC: plug('1'), BAT0: battery('Charging', '41') },
      { charging: true, batteryLevel: 0.41 },
    ],
    ['one that is full', { AC: plug('1'), BAT0: battery('Full', '100') }, { charging: true, batteryLevel: 1 }],
    ['one held at 80%', { AC: plug('1'), BAT0: battery('Not charging') }, { charging: true, batteryLevel: 0.8 }],
    ['a plug too weak', { AC: plug('1'), BAT0: battery('Discharging') }, { charging: false, batteryLevel: 0.8 }],
    ['a battery that says nothing', { AC: plug('1'), BAT0: battery('Unknown') }, { charging: true, batteryLevel: 0.8 }],
    [
      'two batteries',
      { A: battery('Charging', '90'), B: battery('Charging', '20') },
      { charging: true, batteryLevel: 0.2 },
    ],
    ['a box on the mains', {}, { charging: true }],
    ['its mouse', { mouse: { ...battery('Discharging', '5'), scope: 'Device' } }, { charging: true }],
  ])('of %s', async (_, supplies, expected) => {
    expect(await device(supplies)).toEqual({ ...expected, idle: true, metered: false, hour: 3 });
  });
});

test('is idle below half a load a core', async () => {
  expect((await device({}, { load: '1.99' })).idle).toBe(true);
  expect((await device({}, { load: '2.00' })).idle).toBe(false);
});

test.each([
  ['u 0', undefined],
  ['u 1', true],
  ['u 2', false],
  ['u 3', true],
  ['u 4', false],
  ['Failed to get property', undefined],
])('takes %j of NetworkManager as metered: %s', async (metered, expected) => {
  expect((await device({}, { metered })).metered).toBe(expected);
});

test('tells the local hour, and leaves out what cannot be read', async () => {
  const missing = linuxDevice({
    powerSupplies: join(folder, 'none'),
    loadAverage: join(folder, 'none'),
    run: () => Promise.reject(new Error('busctl: not found')),
    now: () => new Date(2026, 0, 1, 17, 59),
  });
  expect(await missing()).toEqual({ hour: 17 });
});

test('reads this machine without an error', async () => {
  expect((await linuxDevice()()).hour).toBeGreaterThanOrEqual(0);
});
