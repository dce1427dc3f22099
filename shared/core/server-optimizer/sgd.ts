/** What a server optimizer makes of one tile: the next parameters and, where it keeps one, its next state. */
export interface ServerStep {
  readonly params: Float32Array;
  readonly velocity: Float32Array | undefined;
}

/**
 * SGD with momentum on the mean update: `v' = momentum v + delta`, `x' = x + learningRate v'`; without momentum it is
 * `x + learningRate delta` and keeps no state. FedAvgM (arXiv:1909.06335), section 3; momentum 0 and learning rate 1 is
 * FedAvg. Each element depends on that element alone, so any tiling gives the same bytes.
 * @param base `[n]` parameters of the base version; read only
 * @param delta `[n]` mean update, client minus base; read only
 * @param velocity `[n]` state of the base version; undefined before the first step
 */
export function serverSgd(
  base: Float32Array,
  delta: Float64Array | Float32Array,
  velocity: Float32Array | undefined,
  { learningRate, momentum }: { readonly learningRate: number; readonly momentum: number },
): ServerStep {
  if (base.length !== delta.length || (velocity && velocity.length !== base.length)) {
    throw new RangeError(`tile: ${base.length} parameters, ${delta.length} deltas, ${velocity?.length} velocities`);
  }
  const params = new Float32Array(base.length);
  if (momentum === 0) {
    for (let i = 0; i < base.length; i++) params[i] = base[i] + learningRate * delta[i];
    return { params, velocity: undefined };
  }
  const next = new Float32Array(base.length);
  for (let i = 0; i < base.length; i++) {
    next[i] = momentum * (velocity ? velocity[i] : 0) + delta[i];
    params[i] = base[i] + learningRate * next[i];
  }
  return { params, velocity: next };
}
