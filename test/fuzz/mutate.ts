import fc from 'fast-check';
import { hostileNumbers, hostileStrings } from './hostile-values.ts';

/**
 * Ways to hurt a valid input. Each is an fc.Arbitrary, so that a failing case shrinks to few and small changes, and is replayed by
 * seed and path.
 */

const anywhere = fc.nat(0x7fff_ffff);
/** Integers at which widths, signs and products break. */
const edges = [
  0n,
  1n,
  4n,
  127n,
  128n,
  255n,
  65_535n,
  1n << 24n,
  (1n << 31n) - 1n,
  1n << 31n,
  (1n << 32n) - 1n,
  1n << 40n,
];
const integers = [...edges, 1_000_000_000n, (1n << 53n) + 1n, (1n << 63n) - 1n, (1n << 64n) - 1n];

const byteStep = fc.oneof(
  fc.record({ kind: fc.constant('truncate' as const), at: anywhere }),
  fc.record({ kind: fc.constant('flip' as const), at: anywhere, bit: fc.nat(7) }),
  fc.record({ kind: fc.constant('set' as const), at: anywhere, byte: fc.nat(255) }),
  fc.record({ kind: fc.constant('remove' as const), at: anywhere, length: fc.integer({ min: 1, max: 16 }) }),
  fc.record({
    kind: fc.constant('insert' as const),
    at: anywhere,
    bytes: fc.uint8Array({ minLength: 1, maxLength: 16 }),
  }),
  fc.record({
    kind: fc.constant('splice' as const),
    at: anywhere,
    from: anywhere,
    length: fc.integer({ min: 1, max: 64 }),
  }),
  fc.record({
    kind: fc.constant('number' as const),
    at: anywhere,
    width: fc.constantFrom(1, 2, 4, 8),
    value: fc.constantFrom(...integers),
    bigEndian: fc.boolean(),
  }),
  fc.record({ kind: fc.constant('varint' as const), at: anywhere, value: fc.constantFrom(...integers) }),
);
type ByteStep = typeof byteStep extends fc.Arbitrary<infer Step> ? Step : never;

/** Mostly one change: what is nearly valid comes furthest. */
function few<Step>(step: fc.Arbitrary<Step>): fc.Arbitrary<Step[]> {
  const several = fc.array(step, { minLength: 2, maxLength: 5 });
  return fc.oneof({ weight: 2, arbitrary: step.map((one) => [one]) }, { weight: 1, arbitrary: several });
}

/** One of the seeds with a few bytes changed, and now and then nothing of it at all. */
export function hurtBytes(seeds: readonly Uint8Array[]): fc.Arbitrary<Uint8Array> {
  const hurt = fc
    .tuple(fc.constantFrom(...seeds), few(byteStep))
    .map(([seed, steps]) => steps.reduce(applyToBytes, seed));
  return fc.oneof({ weight: 19, arbitrary: hurt }, { weight: 1, arbitrary: fc.uint8Array({ maxLength: 300 }) });
}

function applyToBytes(bytes: Uint8Array, step: ByteStep): Uint8Array {
  const at = step.at % (bytes.length + 1);
  switch (step.kind) {
    case 'truncate':
      return bytes.slice(0, at);
    case 'flip':
      return replaced(bytes, at, 1, [(bytes[at] ?? 0) ^ (1 << step.bit)]);
    case 'set':
      return replaced(bytes, at, 1, [step.byte]);
    case 'remove':
      return replaced(bytes, at, step.length, []);
    case 'insert':
      return replaced(bytes, at, 0, step.bytes);
    case 'splice': {
      const from = step.from % (bytes.length + 1);
      return replaced(bytes, at, step.from % 2 === 0 ? 0 : step.length, bytes.slice(from, from + step.length));
    }
    case 'number': {
      const digits = Array.from({ length: step.width }, (_, i) => Number((step.value >> BigInt(8 * i)) & 255n));
      return replaced(bytes, at, step.width, step.bigEndian ? digits.reverse() : digits);
    }
    case 'varint': {
      const digits: number[] = [];
      for (let left = step.value; digits.length === 0 || left > 0n; left >>= 7n) {
        digits.push(Number(left & 127n) | (left > 127n ? 128 : 0));
      }
      return replaced(bytes, at, 1, digits);
    }
  }
}

function replaced(bytes: Uint8Array, at: number, length: number, by: ArrayLike<number>): Uint8Array {
  const end = Math.min(bytes.length, at + length);
  const result = new Uint8Array(bytes.length - (end - at) + by.length);
  result.set(bytes.subarray(0, at));
  result.set(by, at);
  result.set(bytes.subarray(end), at + by.length);
  return result;
}

const token = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/g;
const jsonValue = fc.oneof(
  fc.constantFrom(...hostileNumbers),
  fc.constantFrom(...hostileStrings).map((text) => JSON.stringify(text)),
  fc.constantFrom(
    '{}',
    '[]',
    'true',
    'false',
    'null',
    '[[]]',
    '{"__proto__":{"polluted":1}}',
    '"\\ud800"',
    '"\\u0000"',
  ),
);
const textStep = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('replace' as const), at: anywhere, by: jsonValue }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('swap' as const), at: anywhere, from: anywhere }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('duplicate' as const), at: anywhere, by: jsonValue }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('drop' as const), at: anywhere }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('nest' as const),
      at: anywhere,
      depth: fc.constantFrom(1, 3, 60, 600, 6000),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('rename' as const),
      at: anywhere,
      by: fc.constantFrom('"__proto__"', '"constructor"', '"toString"', '""', '"a\\u0000b"'),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('truncate' as const), at: anywhere }) },
);
type TextStep = typeof textStep extends fc.Arbitrary<infer Step> ? Step : never;

/** One of the seeds, which are JSON, with values replaced, exchanged, doubled, dropped or nested. */
export function hurtJson(seeds: readonly string[]): fc.Arbitrary<string> {
  return fc.tuple(fc.constantFrom(...seeds), few(textStep)).map(([seed, steps]) => steps.reduce(applyToText, seed));
}

/** The same as bytes, and one in four of them hurt as bytes: not UTF-8, cut within a character. */
export function hurtJsonBytes(seeds: readonly string[]): fc.Arbitrary<Uint8Array> {
  const bytes = seeds.map((seed) => new TextEncoder().encode(seed));
  return fc.oneof(
    { weight: 3, arbitrary: hurtJson(seeds).map((text) => new TextEncoder().encode(text)) },
    { weight: 1, arbitrary: hurtBytes(bytes) },
  );
}

function applyToText(text: string, step: TextStep): string {
  if (step.kind === 'truncate') return text.slice(0, step.at % (text.length + 1));
  const tokens = [...text.matchAll(token)].map(({ index, 0: found }) => ({ start: index, end: index + found.length }));
  if (tokens.length === 0) return text;
  const isKey = ({ end }: { end: number }) => /^\s*:/.test(text.slice(end, end + 8));
  const keys = tokens.filter(isKey);
  const cut = ({ start, end }: { start: number; end: number }, by: string) =>
    text.slice(0, start) + by + text.slice(end);
  const chosen = tokens[step.at % tokens.length];
  switch (step.kind) {
    case 'replace':
      return cut(chosen, step.by);
    case 'swap': {
      const other = tokens[step.from % tokens.length];
      return cut(chosen, text.slice(other.start, other.end));
    }
    case 'nest': {
      const [open, close] = step.at % 2 === 0 ? ['[', ']'] : ['{"a":', '}'];
      return cut(chosen, open.repeat(step.depth) + text.slice(chosen.start, chosen.end) + close.repeat(step.depth));
    }
    case 'rename':
      return keys.length === 0 ? text : cut(keys[step.at % keys.length], step.by);
    case 'duplicate':
    case 'drop': {
      if (keys.length === 0) return text;
      const key = keys[step.at % keys.length];
      const end = endOfValue(text, text.indexOf(':', key.end) + 1);
      const name = text.slice(key.start, key.end);
      if (step.kind === 'duplicate') return `${text.slice(0, key.start)}${name}:${step.by},${text.slice(key.start)}`;
      return cut({ start: key.start, end: text[end] === ',' ? end + 1 : end }, '');
    }
  }
}

/** Where the JSON value that starts at `start` ends, by its brackets. */
function endOfValue(text: string, start: number): number {
  let depth = 0;
  for (let at = start; at < text.length; at++) {
    if (text[at] === '"') {
      for (at++; at < text.length && text[at] !== '"'; at++) if (text[at] === '\\') at++;
    } else if (text[at] === '[' || text[at] === '{') depth++;
    else if (text[at] === ']' || text[at] === '}') {
      if (depth === 0) return at;
      depth--;
    } else if (text[at] === ',' && depth === 0) return at;
  }
  return text.length;
}
