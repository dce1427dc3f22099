import { permutation, type Random } from '../../../../shared/core/random.ts';
import type { Samples } from '../../../../shared/core/samples.ts';
import { pick } from '../pick.ts';

/**
 * Repeats random examples of the smaller classes until each that the client holds has as many as its largest (random over-sampling). Weigh
 * the update by the examples before, or the client counts for more than it has.
 * @throws {RangeError} on values to regress on
 */
export function overSample(samples: Samples, random: Random): Samples {
  const classes = examplesByClass(samples);
  const most = Math.max(...classes.map(({ length }) => length));
  const chosen = classes.flatMap((own) => [
    ...own,
    ...Array.from({ length: most - own.length }, () => own[random.below(own.length)]),
  ]);
  return pick(samples, shuffled(chosen, random));
}

/** Leaves out random examples of the larger classes until each that the client holds has as few as its smallest. @throws {RangeError} */
export function underSample(samples: Samples, random: Random): Samples {
  const classes = examplesByClass(samples);
  const least = Math.min(...classes.map(({ length }) => length));
  return pick(
    samples,
    shuffled(
      classes.flatMap((own) => shuffled(own, random).slice(0, least)),
      random,
    ),
  );
}

/** The indices of the examples of each class that occurs, by class. */
export function examplesByClass({ y, n }: Samples): number[][] {
  if (!(y instanceof Int32Array)) throw new RangeError('samples.y: values to regress on, expected classes');
  if (n === 0) throw new RangeError('samples: none');
  const classes = new Map<number, number[]>();
  y.forEach((label, i) => {
    const own = classes.get(label);
    if (own) own.push(i);
    else classes.set(label, [i]);
  });
  return [...classes].sort((a, b) => a[0] - b[0]).map(([, own]) => own);
}

function shuffled(indices: readonly number[], random: Random): number[] {
  return Array.from(permutation(indices.length, random), (i) => indices[i]);
}
