import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { DeviceState } from './schedule.ts';

export interface LinuxSources {
  /** The kernel's folder of power supplies: Documentation/ABI/testing/sysfs-class-power. */
  readonly powerSupplies?: string;
  /** proc_loadavg(5). */
  readonly loadAverage?: string;
  readonly cores?: number;
  /** Runs a program and gives its output; rejects if it cannot. */
  readonly run?: (program: string, args: readonly string[]) => Promise<string>;
  readonly now?: () => Date;
}

/** One-minute load a core below which a device counts as idle. */
const idleLoad = 0.5;

const execute = promisify(execFile);

/**
 * A Linux device as `schedule` asks for it. What cannot be read is left out. A machine without a battery counts as charging. `idle` is by
 * the load average, in which a training of its own still shows for about a minute.
 */
export function linuxDevice({
  powerSupplies = '/sys/class/power_supply',
  loadAverage = '/proc/loadavg',
  cores = availableParallelism(),
  run = async (program, args) => (await execute(program, [...args], { timeout: 5_000 })).stdout,
  now = () => new Date(),
}: LinuxSources = {}): () => Promise<DeviceState> {
  return async () => {
    const [power, load, metered] = await Promise.all([powerOf(powerSupplies), text(loadAverage), meteredBy(run)]);
    const oneMinute = Number.parseFloat(load ?? '');
    return {
      ...power,
      ...(Number.isFinite(oneMinute) && { idle: oneMinute / cores < idleLoad }),
      ...(metered !== undefined && { metered }),
      hour: now().getHours(),
    };
  };
}

async function powerOf(folder: string): Promise<Pick<DeviceState, 'charging' | 'batteryLevel'>> {
  let names: string[];
  try {
    names = await readdir(folder);
  } catch {
    return {};
  }
  const supplies = await Promise.all(
    names.map(async (name) => {
      const [type, scope, online, status, capacity] = await Promise.all(
        ['type', 'scope', 'online', 'status', 'capacity'].map((field) => text(join(folder, name, field))),
      );
      return { type, scope, online, status, capacity };
    }),
  );
  // A mouse or a headset has a battery too.
  const own = supplies.filter(({ scope }) => scope !== 'Device');
  const batteries = own.filter(({ type }) => type === 'Battery' || type === 'UPS');
  if (batteries.length === 0) return { charging: true };
  const levels = batteries.flatMap(({ capacity }) => (capacity ? Number(capacity) / 100 : [])).filter(Number.isFinite);
  return { ...chargingOf(batteries, own), ...(levels.length > 0 && { batteryLevel: Math.min(...levels) }) };
}

interface Supply {
  readonly online: string | undefined;
  readonly status: string | undefined;
}

/** A battery that drains says more than a plug that is in: the plug may be too weak. */
function chargingOf(batteries: readonly Supply[], supplies: readonly Supply[]): Pick<DeviceState, 'charging'> {
  if (batteries.some(({ status }) => status === 'Discharging')) return { charging: false };
  // "Not charging": on external power, held at a level that is good for the battery.
  if (batteries.some(({ status }) => status === 'Charging' || status === 'Full' || status === 'Not charging')) {
    return { charging: true };
  }
  const plugs = supplies.flatMap(({ online }) => (online === undefined ? [] : Number(online) > 0));
  return plugs.length > 0 ? { charging: plugs.includes(true) } : {};
}

/** NetworkManager's `Metered` of the primary connection, NMMetered: 1 yes, 2 no, 3 and 4 the same by its guess, 0 unknown. */
async function meteredBy(run: NonNullable<LinuxSources['run']>): Promise<boolean | undefined> {
  const service = 'org.freedesktop.NetworkManager';
  try {
    const answer = await run('busctl', [
      ...['--system', '--auto-start=no', 'get-property'],
      ...[service, '/org/freedesktop/NetworkManager', service, 'Metered'],
    ]);
    const value = /^u ([1-4])\s*$/.exec(answer)?.[1];
    return value === undefined ? undefined : value === '1' || value === '3';
  } catch {
    return undefined;
  }
}

async function text(path: string): Promise<string | undefined> {
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch {
    return undefined;
  }
}
