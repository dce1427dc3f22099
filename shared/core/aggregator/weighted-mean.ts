/**
 * The weighted mean of updates over one tile, one update at a time: memory is the tile's, whatever the number of
 * updates. Sums in float64 and in the order given, so that a tile's values never depend on how the model was cut.
 * FedAvg (arXiv:1602.05629), Algorithm 1.
 */
export class WeightedMean {
  readonly #sum: Float64Array;
  #position = 0;
  #weight = 0;

  /** @param size the tile's elements */
  constructor(size: number) {
    this.#sum = new Float64Array(size);
  }

  /**
   * Starts the next update.
   * @param weight in (0, 1]; the weights of all updates sum to one
   */
  begin(weight: number): void {
    this.requireComplete();
    if (!(weight > 0 && weight <= 1)) throw new RangeError(`weight: ${weight}, expected in (0, 1]`);
    this.#weight = weight;
    this.#position = 0;
  }

  /** Adds the next values of the current update, shape `[n]`; the caller keeps the buffer. */
  add(values: Float32Array): void {
    const sum = this.#sum;
    const weight = this.#weight;
    const start = this.#position;
    if (start + values.length > sum.length) {
      throw new RangeError(`update: ${start + values.length} values for a tile of ${sum.length}`);
    }
    for (let i = 0; i < values.length; i++) sum[start + i] += weight * values[i];
    this.#position = start + values.length;
  }

  /** The mean, shape `[size]`, float64; the aggregator gives it away. */
  finish(): Float64Array {
    this.requireComplete();
    return this.#sum;
  }

  private requireComplete(): void {
    if (this.#weight > 0 && this.#position !== this.#sum.length) {
      throw new RangeError(`update: ${this.#position} values, expected ${this.#sum.length}`);
    }
  }
}
