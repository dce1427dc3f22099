import { TributaryClient } from '../../client/typescript/client.ts';
import { fetchTransport, type Transport } from '../../client/typescript/transport.ts';
import { nodeCompressors } from '../../functions/compressors.ts';
import type { ClientKey } from '../../shared/wire/identity/keys.ts';
import type { ClientActivity, FleetOptions } from './fleet-options.ts';
import { drawProfile } from './profile.ts';
import { countingTransport, type Traffic } from './traffic.ts';
import { idleMs, type Member, type Shared, sleepQuietly, Turn } from './turn.ts';

export interface FleetReport {
  readonly clients: readonly ClientActivity[];
  readonly traffic: Traffic;
}

export interface Fleet {
  /** What each client did so far. */
  readonly activities: readonly ClientActivity[];
  /** What all clients moved so far. */
  readonly traffic: Traffic;
  /** Takes part until the task ends or the signal aborts. @throws what the API refuses for good */
  run(): Promise<FleetReport>;
}

/** A fleet of clients that takes part in a task over HTTP. */
export function createFleet(options: FleetOptions): Fleet {
  const traffic: Traffic = { down: 0, up: 0 };
  const transport = countingTransport(options.transport ?? fetchTransport, traffic);
  const members = options.clients.map((key) => joinFleet(options, key, transport));
  const activities = members.map(({ activity }) => activity);
  const run = async () => {
    const broken = new AbortController();
    const signal = options.signal ? AbortSignal.any([options.signal, broken.signal]) : broken.signal;
    const shared: Shared = {
      ended: false,
      asking: false,
      fullUntilMs: 0,
      members: members.length,
      picker: options.random.fork('picker'),
    };
    const slots = Math.min(options.concurrency, members.length);
    const occupy = () => occupySlot({ ...options, signal }, members, shared);
    try {
      await options.clock.run(Array.from({ length: slots }, () => occupy));
    } catch (error) {
      broken.abort(error); // One slot's failure is everyone's: nobody goes on in the background.
      throw error;
    }
    return { clients: activities, traffic };
  };
  return { activities, traffic, run };
}

function joinFleet(
  { endpoint, traits, random, clock, retry }: FleetOptions,
  identity: ClientKey,
  transport: Transport,
): Member {
  const name = identity.client;
  const own = random.fork(`client/${name}`);
  const surroundings = { now: clock.now, sleep: clock.sleep, random: () => own.next() };
  return {
    activity: { client: name, profile: drawProfile(traits, random, name), tickets: 0, updates: 0, dropOuts: 0 },
    client: new TributaryClient({
      endpoint,
      identity,
      transport,
      retry,
      surroundings,
      compressors: nodeCompressors,
    }),
    random: own,
    availableAtMs: 0,
    busy: false,
  };
}

/** Sends one client after the other, each picked by chance among those that are free, until the task ends. */
async function occupySlot(options: FleetOptions, members: readonly Member[], shared: Shared): Promise<void> {
  const { clock, signal } = options;
  while (!shared.ended && !signal?.aborted) {
    const nowMs = clock.now();
    const free = members.filter(({ busy, availableAtMs }) => !busy && availableAtMs <= nowMs);
    if (shared.asking || shared.fullUntilMs > nowMs || free.length === 0) {
      await sleepQuietly(clock, idleMs, signal);
      continue;
    }
    const member = free[shared.picker.below(free.length)];
    member.busy = true;
    shared.asking = true;
    await new Turn(options, member, shared).take();
    member.busy = false;
    // On virtual time: whatever the turn set off in the cloud ends before the next client asks.
    await sleepQuietly(clock, 0, signal);
  }
}
