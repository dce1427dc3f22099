import type { Random } from '../../../shared/core/random.ts';
import type { FaultRates } from './faults.ts';
import type { VirtualTime } from './virtual-time.ts';

/** How a function's caller sees it end. */
export type Outcome<Result> =
  | { readonly kind: 'returned'; readonly value: Result }
  | { readonly kind: 'threw'; readonly error: unknown }
  | { readonly kind: 'died' };

/** What a dead function's calls end with; they have no effect, so nobody but the dead function sees it. */
class Killed extends Error {
  override readonly name = 'Killed';
}

const travelMs = 20;

interface Surroundings {
  readonly time: VirtualTime;
  readonly random: Random;
  readonly rates: () => FaultRates;
  readonly note: (line: () => string) => void;
  /** The function, or a request of it, goes on although its caller has given it up. */
  readonly onGhost: () => void;
}

/** One run of a function. Every call of a port passes here, takes time, and may be the last. */
export class Invocation {
  readonly name: string;
  readonly skewMs: number;
  readonly #world: Surroundings;
  #alive = true;
  #givenUp: () => void = () => {};
  readonly #onDeath: (() => void)[] = [];

  constructor(name: string, world: Surroundings) {
    this.name = name;
    this.#world = world;
    this.skewMs = Math.round((2 * world.random.next() - 1) * world.rates().skewMs);
  }

  /** Runs the function. @param timeoutMs then it is killed */
  run<Result>(work: () => Promise<Result>, timeoutMs: number): Promise<Outcome<Result>> {
    return new Promise((resolve) => {
      this.#givenUp = () => resolve({ kind: 'died' });
      this.#onDeath.push(() => resolve({ kind: 'died' }));
      this.#world.time.after(timeoutMs, () => this.kill(() => 'timeout'));
      work().then(
        (value) => this.#end(() => resolve({ kind: 'returned', value })),
        (error: unknown) => this.#end(() => resolve({ kind: 'threw', error })),
      );
    });
  }

  #end(report: () => void): void {
    if (!this.#alive) return;
    this.#alive = false;
    report();
  }

  kill(why: () => string): void {
    if (!this.#alive) return;
    this.#alive = false;
    this.#world.note(() => `${this.name} KILLED (${why()})`);
    for (const act of this.#onDeath.splice(0)) act();
  }

  /**
   * One port call: `effect` is atomic.
   * @param sent what has left with the request when the function dies, whatever becomes of its memory
   */
  call<Result>(
    label: () => string,
    effect: () => Promise<Result>,
    { mayRepeat, sent }: { readonly mayRepeat: boolean; readonly sent: () => () => Promise<Result> },
  ): Promise<Result> {
    if (!this.#alive) return Promise.reject(new Killed());
    const { time, random } = this.#world;
    return new Promise((resolve, reject) => {
      this.#onDeath.push(() => reject(new Killed()));
      const fate = this.#draw(mayRepeat);
      const delayMs = fate === 'stall' ? 1_000 * 2 ** (8 * random.next()) : travelMs * random.next();
      const log = (what: () => string) => this.#world.note(() => `${this.name} ${label()}${what()}`);
      const act = (report: (work: Promise<Result>) => void, take = effect) => {
        const work = take();
        work.then(
          (value) => log(() => ` -> ${shown(value)}`),
          (error: unknown) => log(() => ` !! ${error instanceof Error ? error.message : error}`),
        );
        report(work);
      };
      if (fate === 'killInFlight') {
        const take = sent();
        this.#world.onGhost();
        this.kill(() => `while ${label()} travels`);
        time.after(delayMs + 1_000 * 2 ** (7 * random.next()) * random.next(), () => {
          log(() => ' (arrives late)');
          act((work) => work.catch(() => {}), take);
        });
        return;
      }
      time.after(delayMs, () => {
        if (!this.#alive) return;
        if (fate === 'killBefore') return this.kill(() => `before ${label()}`);
        if (fate === 'throttle') {
          log(() => ' is throttled');
          return reject(new Error('ThrottlingException'));
        }
        act((work) => {
          if (fate === 'killAfter') {
            work.catch(() => {});
            return this.kill(() => `after ${label()}`);
          }
          if (fate === 'zombie') {
            this.#world.note(() => `${this.name} is given up and goes on`);
            this.#world.onGhost();
            this.#givenUp();
          }
          if (fate === 'lostAnswer') {
            work.catch(() => {});
            log(() => ': the answer is lost');
            return reject(new Error('TimeoutError'));
          }
          if (fate === 'repeated') {
            work.catch(() => {});
            log(() => ' is sent again');
            return resolve(effect());
          }
          work.then(resolve, reject);
        });
      });
    });
  }

  /** What a stream's reader sees: pieces that take their time, and perhaps no end. */
  async *stream(label: () => string, source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    const { random, rates, time } = this.#world;
    for await (const chunk of source) {
      if (random.next() < rates().cutStream) {
        this.#world.note(() => `${this.name} ${label()} breaks off`);
        throw new Error('ECONNRESET');
      }
      if (random.next() < 0.1) await time.sleep(travelMs * random.next());
      if (!this.#alive) throw new Killed();
      yield chunk;
    }
  }

  #draw(mayRepeat: boolean): Fate | undefined {
    const rates = this.#world.rates();
    let left = this.#world.random.next();
    for (const fate of fates) {
      if (fate === 'repeated' && !mayRepeat) continue;
      left -= rates[fate];
      if (left < 0) return fate;
    }
    return undefined;
  }
}

const fates = [
  'killBefore',
  'killAfter',
  'killInFlight',
  'zombie',
  'throttle',
  'lostAnswer',
  'repeated',
  'stall',
] as const;
type Fate = (typeof fates)[number];

function shown(value: unknown): string {
  if (value === undefined) return 'done';
  if (typeof value === 'object' && value !== null && Symbol.asyncIterator in value) return 'a stream';
  const text = withoutSeals(
    JSON.stringify(value, (_, each) => (each instanceof Uint8Array ? `${each.length} bytes` : each)),
  );
  return text.length > 160 ? `${text.slice(0, 157)}...` : text;
}

/** A trace is a function of the seed; a signature is never the same twice. */
export function withoutSeals(text: string): string {
  return text.replace(/eyJ[\w-]+\.[\w-]+\.[\w-]+/g, 'a seal');
}
