import type { Usage, UsageKind } from '../../shared/core/cost/prices.ts';
import { account, type Scenario } from './account.ts';
import { Events } from './events.ts';
import { Pool, Rate, Serial, type Station } from './stations.ts';

const { dynamo, s3, lambda } = account;

/** One task in one account: everything that its updates share, and the bill. */
export class World {
  readonly events = new Events();
  readonly scenario: Scenario;
  readonly api: Rate;
  readonly admissions: Pool;
  readonly functions = new Pool('Lambda concurrency', lambda.concurrency);
  readonly counts: readonly Serial[];
  readonly keys;
  readonly table = {
    writes: new Rate('writes of the table', dynamo.writesPerTable),
    reads: new Rate('reads of the table', dynamo.readsPerTable),
  };
  readonly puts = new Rate('S3 PUTs on a prefix', s3.putsPerPrefix);
  readonly gets = new Rate('S3 GETs on a prefix', s3.getsPerPrefix);
  readonly #usage = new Map<UsageKind, number>();
  #turn = 0;

  constructor(scenario: Scenario) {
    this.scenario = scenario;
    this.api = new Rate('API requests', scenario.apiRate, scenario.apiBurst);
    this.admissions = new Pool('admissions at once', scenario.admitConcurrency);
    this.counts = Array.from({ length: scenario.shards }, () => new Serial('transactions on the COUNTS item'));
    const reads = (name: string) => new Rate(`reads of the ${name} key`, dynamo.readsPerKey * scenario.shards);
    const writes = (name: string) => new Rate(`writes of the ${name} key`, dynamo.writesPerKey * scenario.shards);
    this.keys = {
      task: new Rate('reads of the TASK key', dynamo.readsPerKey),
      countsReads: reads('COUNTS'),
      openWrites: writes('OPEN'),
      bufferReads: reads('BUFFER'),
      bufferWrites: writes('BUFFER'),
    };
  }

  bill(kind: UsageKind, amount: number): void {
    this.#usage.set(kind, (this.#usage.get(kind) ?? 0) + amount);
  }

  usage(): Usage {
    return Object.fromEntries(this.#usage);
  }

  /** The next of the shards of the counts. */
  nextCounts(): Serial {
    this.#turn = (this.#turn + 1) % this.counts.length;
    return this.counts[this.#turn];
  }

  /** What is busiest, and the share of the time so far that its work alone takes. */
  busiest(): { readonly name: string; readonly utilisation: number } {
    const stations: readonly Station[] = [
      ...[this.counts[0], this.api, this.puts, this.gets, this.admissions, this.functions],
      ...Object.values(this.keys),
      ...Object.values(this.table),
    ];
    const seconds = this.events.now;
    return stations
      .map((station) => ({ name: station.name, utilisation: station.utilisation(seconds) }))
      .reduce((most, one) => (one.utilisation > most.utilisation ? one : most));
  }
}
