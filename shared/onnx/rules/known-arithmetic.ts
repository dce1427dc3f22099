import type { Known } from '../known.ts';
import { type Dimension, over, times } from '../shape.ts';
import type { Rule } from './rule.ts';

type Operation = (a: Dimension, b: Dimension) => Dimension | undefined;

const operations = {
  add: (a, b) => (a === 0 ? b : b === 0 ? a : numeric(a, b, (x, y) => x + y)),
  sub: (a, b) => (a === b ? 0 : b === 0 ? a : numeric(a, b, (x, y) => x - y)),
  mul: (a, b) => (isNegative(a) || isNegative(b) ? numeric(a, b, (x, y) => x * y) : times(a, b)),
  div: (a, b) => (b === 0 ? undefined : (numeric(a, b, (x, y) => Math.trunc(x / y)) ?? over(a, b))),
  // The sign of the divisor, as in Python.
  mod: (a, b) => (b === 0 ? undefined : b === 1 ? 0 : numeric(a, b, (x, y) => ((x % y) + y) % y)),
  // An open size is never negative, and may be any other.
  equal: (a, b) => (a === b ? 1 : (numeric(a, b, () => 0) ?? (isNegative(a) || isNegative(b) ? 0 : undefined))),
} satisfies Record<string, Operation>;

/** Follows an integer operation on two known lists of which one may be a single number. */
export function knownElementwise(name: keyof typeof operations): Rule['known'] {
  const operation: Operation = operations[name];
  return ({ known }) => {
    const [a, b] = [known(0), known(1)];
    if (!a || !b || (a.values.length !== b.values.length && a.values.length !== 1 && b.values.length !== 1)) {
      return undefined;
    }
    const longer =
      a.values.length === b.values.length
        ? a.dims.length < b.dims.length
          ? b
          : a
        : a.values.length > b.values.length
          ? a
          : b;
    const values = longer.values.map((_, i) =>
      operation(a.values[a.values.length === 1 ? 0 : i], b.values[b.values.length === 1 ? 0 : i]),
    );
    return values.every((value) => value !== undefined) ? { dims: longer.dims, values } : undefined;
  };
}

/** The values if all are plain numbers. */
export function intsOfKnown(known: Known | undefined): readonly number[] | undefined {
  const values = known?.values.filter((value) => typeof value === 'number');
  return values?.length === known?.values.length ? values : undefined;
}

function numeric(a: Dimension, b: Dimension, operation: (x: number, y: number) => number): number | undefined {
  return typeof a === 'number' && typeof b === 'number' ? operation(a, b) : undefined;
}

function isNegative(value: Dimension): boolean {
  return typeof value === 'number' && value < 0;
}
