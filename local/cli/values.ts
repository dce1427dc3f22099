import { InvalidArgumentError } from 'commander';

/** Parsers of option values. What they throw becomes one line that names the option. */

export function integer(min: number, max = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^[+-]?\d+$/.test(text) || !Number.isSafeInteger(value) || value < min || value > max) {
      throw new InvalidArgumentError(`Expected a whole number ${rangeText(min, max)}.`);
    }
    return value;
  };
}

/** @param above the value must be greater than `min`, not equal to it */
export function decimal(min: number, max = Number.POSITIVE_INFINITY, above = false): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === '' || !Number.isFinite(value) || value < min || value > max || (above && value === min)) {
      throw new InvalidArgumentError(`Expected a number ${rangeText(min, max, above)}.`);
    }
    return value;
  };
}

const unitMs: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `90s`, `30m`, `12h`, `7d`. @returns milliseconds */
export function duration(minMs: number, maxMs: number): (text: string) => number {
  return (text) => {
    const [, count, unit] = /^(\d+)([smhd])$/.exec(text) ?? [];
    const ms = Number(count) * unitMs[unit ?? ''];
    if (!(ms >= minMs && ms <= maxMs)) {
      throw new InvalidArgumentError(
        `Expected a time from ${shortest(minMs)} to ${shortest(maxMs)}, such as 12h or 7d.`,
      );
    }
    return ms;
  };
}

/** In the largest unit that it is a whole number of. */
function shortest(ms: number): string {
  const [unit, size] = Object.entries(unitMs).findLast(([, size]) => ms % size === 0) ?? ['s', 1_000];
  return `${ms / size}${unit}`;
}

export function httpUrl(text: string): string {
  if (!/^https?:\/\//.test(text) || !URL.canParse(text))
    throw new InvalidArgumentError('Expected an http or https URL.');
  return text;
}

function rangeText(min: number, max: number, above = false): string {
  const open = max === Number.POSITIVE_INFINITY || max === Number.MAX_SAFE_INTEGER;
  if (open) return above ? `greater than ${min}` : `of at least ${min}`;
  return above ? `greater than ${min} and at most ${max}` : `from ${min} to ${max}`;
}
