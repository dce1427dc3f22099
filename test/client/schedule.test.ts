import { expect, test } from 'vitest';
import { mayTrain } from '../../client/typescript/schedule.ts';

const fit = { charging: true, batteryLevel: 0.1, metered: false, hidden: false };

test('a device that tells nothing may train, and so may one on its charger that is looked at', () => {
  expect(mayTrain({})).toEqual({ train: true });
  expect(mayTrain(fit)).toEqual({ train: true });
});

test.each([
  [{ hidden: true }, 'nobody is looking at this page'],
  [{ charging: false, batteryLevel: 1 }, 'the device runs on battery'],
  [{ metered: true }, 'the connection is metered, or set to save data'],
])('%j alone is a reason to wait', (state, reason) => {
  expect(mayTrain({ ...fit, ...state })).toEqual({ train: false, reason });
});

test('what the user allows is no reason, one by one', () => {
  expect(mayTrain({ ...fit, hidden: true }, { whileHidden: true })).toEqual({ train: true });
  expect(mayTrain({ ...fit, metered: true }, { whileMetered: true })).toEqual({ train: true });
  expect(mayTrain({ ...fit, hidden: true, metered: true }, { whileHidden: true }).train).toBe(false);
});

test('on battery it trains down to the level, that level included, and on a charger below it too', () => {
  const policy = { onBattery: true, minimumBatteryLevel: 0.5 };
  expect(mayTrain({ ...fit, charging: false, batteryLevel: 0.5 }, policy)).toEqual({ train: true });
  const reason = 'the battery is at 49 %, below 50 %';
  expect(mayTrain({ ...fit, charging: false, batteryLevel: 0.49 }, policy)).toEqual({ train: false, reason });
  expect(mayTrain({ ...fit, charging: true, batteryLevel: 0.49 }, policy)).toEqual({ train: true });
  expect(mayTrain({ charging: false }, policy)).toEqual({ train: true });
});
