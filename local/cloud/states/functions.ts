import { createHash, randomUUID } from 'node:crypto';
import jsonata from 'jsonata';
import { randomFrom } from '../../../shared/core/random.ts';
import { toJson } from './json.ts';

/** JSONata 2.0.6's own functions, as AWS documents them; `$eval` is the one that Step Functions leaves out. */
export const builtinNames: ReadonlySet<string> = new Set(
  `sum count max min average string substring substringBefore substringAfter lowercase uppercase length trim pad match
  contains replace split join formatNumber formatBase formatInteger parseInteger number floor ceil round abs sqrt power
  boolean not map zip filter single reduce sift keys lookup append exists spread merge reverse each error assert type sort
  shuffle distinct base64encode base64decode encodeUrlComponent encodeUrl decodeUrlComponent decodeUrl toMillis fromMillis
  now millis`.split(/\s+/),
);

const hashes = new Map([
  ['MD5', 'md5'],
  ['SHA-1', 'sha1'],
  ['SHA-256', 'sha256'],
  ['SHA-384', 'sha384'],
  ['SHA-512', 'sha512'],
]);

/** More elements than this fit no payload. */
const maxElements = 262_144;

/**
 * The functions that Step Functions adds to JSONata.
 * https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html#jsonata-functions-provided-by-sfn
 */
export const stepFunctions: Readonly<Record<string, (...args: unknown[]) => unknown>> = {
  partition(array, size) {
    if (!Array.isArray(array)) throw new TypeError('$partition: the first argument must be an array');
    const step = integer('$partition', size);
    if (step < 1) throw new RangeError('$partition: the chunk size must be at least 1');
    const chunks: unknown[][] = [];
    for (let i = 0; i < array.length; i += step) chunks.push(array.slice(i, i + step));
    return chunks;
  },

  range(first, last, step) {
    const from = integer('$range', first);
    const to = integer('$range', last);
    const by = integer('$range', step);
    if (by === 0) throw new RangeError('$range: the step must not be 0');
    if ((to - from) / by >= maxElements) throw new RangeError(`$range: more than ${maxElements} elements`);
    const values: number[] = [];
    for (let value = from; by > 0 ? value <= to : value >= to; value += by) values.push(value);
    return values;
  },

  hash(data, algorithm) {
    const name = typeof algorithm === 'string' ? hashes.get(algorithm) : undefined;
    if (name === undefined)
      throw new RangeError(`$hash: the algorithm must be one of ${[...hashes.keys()].join(', ')}`);
    if (data === undefined) throw new TypeError('$hash: nothing to hash');
    return createHash(name)
      .update(typeof data === 'string' ? data : JSON.stringify(toJson(data)))
      .digest('hex');
  },

  random(seed) {
    if (seed === undefined) return Math.random();
    return randomFrom(integer('$random', seed)).next();
  },

  uuid() {
    return randomUUID();
  },

  parse(text) {
    if (typeof text !== 'string') throw new TypeError('$parse: the argument must be a string of JSON');
    return JSON.parse(text);
  },

  eval() {
    throw new TypeError('$eval is not supported by Step Functions, use $parse');
  },
};

const formatMillis = jsonata('$fromMillis($ms, $picture, $zone)');

/** `$now` and `$millis` by the clock that the execution lives in; the package's own read the system's. */
export function timeFunctions(nowMs: number): Readonly<Record<'now' | 'millis', (...args: unknown[]) => unknown>> {
  return {
    now: (picture, zone) => formatMillis.evaluate(undefined, { ms: nowMs, picture, zone }),
    millis: () => nowMs,
  };
}

function integer(what: string, value: unknown): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) {
    throw new TypeError(`${what}: ${JSON.stringify(value)} is not an integer`);
  }
  return value;
}
