import type { Random } from '../../../../shared/core/random.ts';
import type { Samples } from '../../../../shared/core/samples.ts';
import { concatenate } from '../pick.ts';
import { examplesByClass } from './resample.ts';

/**
 * Adds made-up examples to the smaller classes until each that the client holds has as many as its largest: each lies between an example
 * and one of its nearest neighbours of the same class (SMOTE: Chawla et al. 2002, arXiv:1106.1813). For numbers; between 0/1 features of
 * words it makes shares of both.
 * @param neighbours k of the paper, 5 by default; a class of one example is repeated
 * @throws {RangeError} on values to regress on
 */
export function smote(samples: Samples, random: Random, neighbours = 5): Samples {
  const classes = examplesByClass(samples);
  const most = Math.max(...classes.map(({ length }) => length));
  const width = samples.x.length / samples.n;
  const made = classes.map((own): Samples => {
    const n = most - own.length;
    const x = new Float32Array(n * width);
    for (let k = 0; k < n; k++) {
      const i = own[random.below(own.length)];
      const near = nearest(samples, i, own, neighbours);
      const j = near.length === 0 ? i : near[random.below(near.length)];
      const share = random.next();
      for (let f = 0; f < width; f++) {
        const from = samples.x[i * width + f];
        x[k * width + f] = from + share * (samples.x[j * width + f] - from);
      }
    }
    return { x, y: new Int32Array(n).fill(samples.y[own[0]]), n, shape: samples.shape };
  });
  return concatenate([samples, ...made], samples.shape);
}

function nearest({ x, n }: Samples, i: number, own: readonly number[], k: number): number[] {
  const width = x.length / n;
  const distance = (j: number) => {
    let sum = 0;
    for (let f = 0; f < width; f++) sum += (x[i * width + f] - x[j * width + f]) ** 2;
    return sum;
  };
  return own
    .filter((j) => j !== i)
    .map((j) => ({ j, distance: distance(j) }))
    .sort((a, b) => a.distance - b.distance)
    .slice(0, k)
    .map(({ j }) => j);
}
