/**
 * R^2 over chunks: 1 - squared error / squared distance of the targets to their mean, outputs added up, and 0 where that is negative. Means
 * and sums of chunks are put together as Chan et al. 1983 do: a large mean costs no digits.
 */
export class ExplainedVariance {
  #count = 0;
  #mean: Float64Array = new Float64Array(0);
  #squares = 0;
  #error = 0;

  /**
   * @param mean of the chunk's targets, [outputs]
   * @param squares sum over examples and outputs of the squared difference to that mean
   * @param error sum over examples and outputs of the squared difference to the prediction
   */
  add(count: number, mean: Float32Array, squares: number, error: number): void {
    if (this.#count === 0) this.#mean = new Float64Array(mean.length);
    const total = this.#count + count;
    this.#squares += squares;
    for (let output = 0; output < mean.length; output++) {
      const apart = mean[output] - this.#mean[output];
      this.#squares += (apart * apart * this.#count * count) / total;
      this.#mean[output] += (apart * count) / total;
    }
    this.#count = total;
    this.#error += error;
  }

  /** In [0, 1]; targets that are all the same are explained wholly or not at all. */
  share(): number {
    if (!(this.#squares > 0)) return this.#error === 0 ? 1 : 0;
    return Math.max(0, 1 - this.#error / this.#squares) || 0;
  }
}
