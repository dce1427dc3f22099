import { permutation, type Random } from '../../../../shared/core/random.ts';
import type { Samples } from '../../../../shared/core/samples.ts';

/**
 * Mixes every example with another: x = l x_i + (1 - l) x_j with l from Beta(alpha, alpha) (mixup: Zhang et al. 2018, arXiv:1710.09412).
 * Values to regress on are mixed alike. A class stays as it is, and l comes from Beta(alpha + 1, alpha): because a cross-entropy is linear
 * in the target and i and j are drawn alike, its expected loss is that of the paper's mixed labels (Huszar 2017, "mixup: data-dependent
 * data augmentation").
 * @param alpha greater than 0; 0.1 to 0.4 in the paper
 */
export function mixup(samples: Samples, alpha: number, random: Random): Samples {
  if (!(alpha > 0)) throw new RangeError(`alpha: ${alpha}, expected a number greater than 0`);
  const { n, shape, y } = samples;
  const width = samples.x.length / n;
  const outputs = y.length / n;
  const partners = permutation(n, random);
  const x = new Float32Array(samples.x.length);
  const targets = y.slice();
  const mix = (to: Float32Array, from: Float32Array, size: number, i: number, share: number) => {
    for (let k = 0; k < size; k++) {
      to[i * size + k] = share * from[i * size + k] + (1 - share) * from[partners[i] * size + k];
    }
  };
  for (let i = 0; i < n; i++) {
    const share = beta(y instanceof Float32Array ? alpha : alpha + 1, alpha, random);
    mix(x, samples.x, width, i, share);
    if (y instanceof Float32Array && targets instanceof Float32Array) mix(targets, y, outputs, i, share);
  }
  return { x, y: targets, n, shape };
}

/** Beta(a, b), in [0, 1]: of two gammas, in logarithms, because small shapes underflow. */
export function beta(a: number, b: number, random: Random): number {
  const [left, right] = [logGamma(a, random), logGamma(b, random)];
  return 1 / (1 + Math.exp(right - left));
}

/** The logarithm of a Gamma(shape, 1) number (Marsaglia and Tsang 2000; below shape 1 by their section 6). */
function logGamma(shape: number, random: Random): number {
  if (shape < 1) return logGamma(shape + 1, random) + Math.log(1 - random.next()) / shape;
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const normal = random.normal();
    const v = (1 + c * normal) ** 3;
    if (v <= 0) continue;
    if (Math.log(1 - random.next()) < 0.5 * normal * normal + d - d * v + d * Math.log(v)) return Math.log(d * v);
  }
}
