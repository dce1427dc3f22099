import { concatenate } from '../../client/typescript/data/pick.ts';
import { windows } from '../../client/typescript/data/series/windows.ts';
import { type Random, randomFrom } from '../../shared/core/random.ts';
import { checkNumber } from './check-number.ts';
import type { ClientData, Federation, LoadContext } from './federation.ts';
import { fingerprintOf } from './fingerprint.ts';

export interface SeriesOptions {
  readonly dataset: 'series';
  /** Meters, default 20. */
  readonly clients?: number;
  /** How unlike the meters' level, amplitude and phase are. 0: they differ by chance alone. Default 1. */
  readonly alpha?: number;
  readonly seed?: number | string;
}

/** Hours that a forecast sees, and hours that it tells. */
const history = 48;
const horizon = 12;
const hoursADay = 24;
const testShare = 0.2;
/** Of the noise: how much of an hour's is left in the next, and the deviation of what is new. */
const persistence = 0.8;
const innovation = 0.2;

/**
 * Windows of hourly series, one series a meter: a day's course of two harmonics plus AR(1) noise. Meters differ in level N(0, alpha / 2), log-
 * amplitude N(0, 0.3 alpha) and phase. x is `[48]` past hours, y the next 12. The last fifth of each series is for testing, and no window
 * reaches from one part into the other.
 */
export async function loadSeries(
  options: SeriesOptions,
  { onProgress, signal }: LoadContext = {},
): Promise<Federation> {
  const clientCount = checkNumber('clients', options.clients ?? 20, 1, 100_000, true);
  const alpha = checkNumber('alpha', options.alpha ?? 1, 0, 1000);
  const random = randomFrom(`series/${options.seed ?? 0}`);
  const clients: ClientData[] = [];
  for (let k = 0; k < clientCount; k++) {
    signal?.throwIfAborted();
    const meter = random.fork(`meter/${k}`);
    const series = drawSeries(hoursADay * (20 + meter.below(30)), alpha, meter);
    const split = Math.floor((1 - testShare) * series.length);
    clients.push({
      id: `meter-${String(k).padStart(String(clientCount - 1).length, '0')}`,
      train: windows(series.subarray(0, split), { length: history, horizon }),
      test: windows(series.subarray(split), { length: history, horizon }),
    });
    onProgress?.({ step: 'split', message: 'drawing series', done: k + 1, total: clientCount });
  }
  const shape = [history];
  const heldOut = concatenate(
    clients.map(({ test }) => test),
    shape,
  );
  return {
    name: `series-${alpha}`,
    shape,
    classes: 0,
    outputs: horizon,
    labels: [],
    clients,
    heldOut,
    suggestion: {
      model: { kind: 'linear-forecast' },
      learningRate: 0.01,
      batchSize: 32,
      // More local work, or more meters at once, and stale updates overshoot.
      localEpochs: 1,
      rounds: 30,
      buffer: Math.min(8, clientCount),
      concurrency: Math.min(8, clientCount),
    },
    fingerprint: fingerprintOf({ shape, labels: [], clients, heldOut }),
    notes: [`held-out set: ${heldOut.n} windows from the last fifth of each series`],
  };
}

function drawSeries(hours: number, alpha: number, random: Random): Float32Array {
  const level = random.normal(0, alpha / 2);
  const amplitude = Math.exp(random.normal(0, 0.3 * alpha));
  const [phase, half] = [0, 1].map(() => Math.min(1, alpha) * 2 * Math.PI * random.next());
  // The noise starts as it goes on: stationary.
  let noise = random.normal(0, innovation / Math.sqrt(1 - persistence ** 2));
  return Float32Array.from({ length: hours }, (_, hour) => {
    const day = (2 * Math.PI * hour) / hoursADay;
    noise = persistence * noise + random.normal(0, innovation);
    return level + amplitude * (Math.sin(day + phase) + 0.4 * Math.sin(2 * day + half)) + noise;
  });
}
