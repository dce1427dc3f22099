import type { Random } from '../../shared/core/random.ts';

/** What a fleet of devices is like. Times are compressed: seconds here stand for minutes or hours out there. */
export interface FleetTraits {
  /** Milliseconds of one local training on the median device. */
  readonly typicalMs: number;
  /** Deviation of the natural logarithm of the devices' speed. */
  readonly speedSpread: number;
  /** Share of devices that are 5 to 10 times slower, in [0, 1]. */
  readonly stragglers: number;
  /** Share of tickets whose holder never uploads, in [0, 1]. */
  readonly dropOuts: number;
  /** Mean one-way network delay in milliseconds. */
  readonly networkMs: number;
}

export const defaultTraits: FleetTraits = {
  typicalMs: 400,
  speedSpread: 0.4,
  stragglers: 0.15,
  dropOuts: 0.03,
  networkMs: 20,
};

/** One device. It is the same in asynchronous and synchronous runs of a seed, so that they can be compared. */
export interface ClientProfile {
  /** Milliseconds that this device takes to train, in simulated time. */
  readonly trainMs: number;
  readonly straggler: boolean;
  readonly dropOuts: number;
  /** This device's mean one-way network delay. */
  readonly networkMs: number;
}

/** Draws a device from the fleet's seed and its own name, so that it does not change with the other devices. */
export function drawProfile(traits: FleetTraits, random: Random, client: string): ClientProfile {
  const own = random.fork(`profile/${client}`);
  const speed = Math.exp(own.normal(0, traits.speedSpread));
  const straggler = own.next() < traits.stragglers;
  const slowness = 5 + 5 * own.next();
  return {
    trainMs: traits.typicalMs * speed * (straggler ? slowness : 1),
    straggler,
    dropOuts: traits.dropOuts,
    networkMs: traits.networkMs * Math.exp(own.normal(0, 0.5)),
  };
}
