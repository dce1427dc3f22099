import { permutation, type Random } from '../../../../shared/core/random.ts';
import type { Samples } from '../../../../shared/core/samples.ts';

/**
 * Mixes every example with another: x = l x_i + (1 - l) x_j with l from Beta(alpha, alpha) (mixup: Zhang et al. 2018, arXiv:1710.09412).
 * Values to regress on are mixed alike. A class cannot be: the example takes class i with probability l and j otherwise, and because a
 * cross-entropy is linear in the target, its expected loss and gradient are those of the paper's mixed label.
 * @param alpha greater than 0; 0.1 to 0.4 in the paper
 */
export function mixup(samples: Samples, alpha: number, random: Random): Samples {
  if (!(alpha > 0)) throw new RangeError(`alpha: ${alpha}, expected a number greater than 0`);
  const { n, shape, y } = samples;
  const width = samples.x.length / n;
  const outputs = y.length / n;
  const partners = permutation(n, random);
  const x = new Float32Array(samples.x.length);
  const targets = y instanceof Float32Array ? new Float32Array(y.length) : new Int32Array(y.length);
  for (let i = 0; i < n; i++) {
    const j = partners[i];
    const share = beta(alpha, random);
    for (let f = 0; f < width; f++) {
      x[i * width + f] = share * samples.x[i * width + f] + (1 - share) * samples.x[j * width + f];
    }
    const own = random.next() < share;
    for (let o = 0; o < outputs; o++) {
      const [a, b] = [y[i * outputs + o], y[j * outputs + o]];
      targets[i * outputs + o] = y instanceof Float32Array ? share * a + (1 - share) * b : own ? a : b;
    }
  }
  return { x, y: targets, n, shape };
}

/** Beta(alpha, alpha), in [0, 1]: of two gammas, in logarithms, because small alphas underflow. */
export function beta(alpha: number, random: Random): number {
  const [a, b] = [logGamma(alpha, random), logGamma(alpha, random)];
  return 1 / (1 + Math.exp(b - a));
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
