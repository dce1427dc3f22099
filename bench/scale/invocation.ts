import { account } from './account.ts';
import type { Rate } from './stations.ts';
import type { World } from './world.ts';

const { dynamo, lambda } = account;

/** A function that waits for a throttled call gives up after so long, and its caller comes again: that is not billed. */
const patienceSeconds = 3;

/** One invocation's way through the calls that it makes: when it is, and how long it worked. */
export class Invocation {
  readonly #world: World;
  readonly #start: number;
  time: number;
  /** Without waiting for others. */
  worked = 0;

  constructor(world: World) {
    this.#world = world;
    this.#start = world.events.now;
    this.time = this.#start;
    this.work(lambda.overheadSeconds);
  }

  work(seconds: number): this {
    this.time += seconds;
    this.worked += seconds;
    return this;
  }

  wait(rate: Rate, units = 1): this {
    this.time = rate.take(this.time, units);
    return this;
  }

  /** Strongly consistent, of an item of at most 4 KB. @param key whose limit it shares, if others read it too */
  get(key?: Rate): this {
    this.#world.bill('dynamodb.readUnits', 1);
    if (key) this.wait(key);
    return this.wait(this.#world.table.reads).work(dynamo.getSeconds);
  }

  /** The task's record, unless this function has it from the last invocation. */
  task(): this {
    return this.#world.scenario.readsAnew ? this.get(this.#world.keys.task) : this;
  }

  /** A whole list, page after page. */
  query(key: Rate, bytes: number): this {
    const units = Math.max(1, Math.ceil(bytes / dynamo.readUnitBytes));
    const pages = Math.max(1, Math.ceil(bytes / dynamo.pageBytes));
    this.#world.bill('dynamodb.readUnits', units);
    return this.wait(key, units)
      .wait(this.#world.table.reads, units)
      .work(pages * dynamo.pageSeconds);
  }

  /** One item that nobody else writes. */
  write(): this {
    this.#world.bill('dynamodb.writeUnits', 1);
    return this.wait(this.#world.table.writes).work(dynamo.putSeconds);
  }

  /** A transaction of so many items; `counts` if one of them is the task's counts. */
  transact(items: number, keys: readonly Rate[], { counts = false } = {}): this {
    const units = 2 * items;
    this.#world.bill('dynamodb.writeUnits', units);
    for (const key of keys) this.wait(key, 2);
    this.wait(this.#world.table.writes, units);
    if (counts) this.time = this.#world.nextCounts().hold(this.time, dynamo.transactSeconds) - dynamo.transactSeconds;
    return this.work(dynamo.transactSeconds);
  }

  /** Ends it. @param memoryMb of the function */
  bill(memoryMb: number): void {
    const seconds = Math.min(this.time - this.#start, this.worked + patienceSeconds);
    this.#world.bill('lambda.requests', 1);
    this.#world.bill('lambda.armGbSeconds', (seconds * memoryMb) / 1024);
  }
}
