import type { DeviceState } from '../../../client/typescript/schedule.ts';

/** What only some browsers have: the Battery Status API, and the Network Information API. */
interface Battery extends EventTarget {
  readonly charging: boolean;
  readonly level: number;
}
interface Connection extends EventTarget {
  readonly saveData: boolean;
}

/** Tells of the device now, and whenever something about it changes. */
export async function watchDevice(onChange: (state: DeviceState) => void): Promise<void> {
  const battery = await findBattery();
  const connection = 'connection' in navigator && isConnection(navigator.connection) ? navigator.connection : undefined;
  const tell = () =>
    onChange({
      charging: battery?.charging,
      batteryLevel: battery?.level,
      metered: connection?.saveData,
      hidden: document.visibilityState === 'hidden',
    });
  document.addEventListener('visibilitychange', tell);
  for (const name of ['chargingchange', 'levelchange']) battery?.addEventListener(name, tell);
  connection?.addEventListener('change', tell);
  tell();
}

async function findBattery(): Promise<Battery | undefined> {
  if (!('getBattery' in navigator) || typeof navigator.getBattery !== 'function') return undefined;
  try {
    const found: unknown = await navigator.getBattery();
    return isBattery(found) ? found : undefined;
  } catch {
    return undefined; // A permissions policy may forbid it.
  }
}

function isBattery(value: unknown): value is Battery {
  return (
    value instanceof EventTarget &&
    'charging' in value &&
    typeof value.charging === 'boolean' &&
    'level' in value &&
    typeof value.level === 'number'
  );
}

function isConnection(value: unknown): value is Connection {
  return value instanceof EventTarget && 'saveData' in value && typeof value.saveData === 'boolean';
}
