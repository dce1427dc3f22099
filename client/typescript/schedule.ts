/** What a device knows of itself; what is absent it cannot tell, and that forbids nothing. */
export interface DeviceState {
  readonly charging?: boolean;
  /** In [0, 1]. */
  readonly batteryLevel?: number;
  /** The user pays by the byte, or asked to save data. */
  readonly metered?: boolean;
  /** Nobody sees the page. */
  readonly hidden?: boolean;
}

/** When a device may train. By default on a charger, on a connection that costs nothing, and while it is looked at. */
export interface SchedulePolicy {
  readonly onBattery?: boolean;
  /** With `onBattery`: the level, in [0, 1], below which it waits for the charger. 0.3 by default. */
  readonly minimumBatteryLevel?: number;
  readonly whileMetered?: boolean;
  readonly whileHidden?: boolean;
}

export type TrainingLeave = { readonly train: true } | { readonly train: false; readonly reason: string };

/** Whether to train now and, if not, what for: a clause for the user. */
export function mayTrain(state: DeviceState, policy: SchedulePolicy = {}): TrainingLeave {
  const { onBattery = false, minimumBatteryLevel = 0.3, whileMetered = false, whileHidden = false } = policy;
  const { charging, batteryLevel = 1, metered, hidden } = state;
  if (hidden && !whileHidden) return not('nobody is looking at this page');
  if (charging === false && !onBattery) return not('the device runs on battery');
  if (charging === false && batteryLevel < minimumBatteryLevel) {
    return not(
      `the battery is at ${Math.round(100 * batteryLevel)} %, below ${Math.round(100 * minimumBatteryLevel)} %`,
    );
  }
  if (metered && !whileMetered) return not('the connection is metered, or set to save data');
  return { train: true };
}

function not(reason: string): TrainingLeave {
  return { train: false, reason };
}
