import type { Dimension, Shape } from './shape.ts';
import { int64Values, type Tensor } from './tensor.ts';

/** Integers (or truth values, as 0 and 1) that follow from shapes and constants alone; the batch may be among them. */
export interface Known {
  readonly dims: readonly number[];
  /** Row-major, shape [product(dims)]. */
  readonly values: readonly Dimension[];
}

/** Longer lists are no shapes, and not worth following. */
export const mostKnown = 4096;

/** What a constant integer tensor says, or undefined if it holds something else or too much. */
export function knownTensor(tensor: Tensor): Known | undefined {
  const { type, dims, data } = tensor;
  if (dims.reduce((product, dimension) => product * dimension, 1) > mostKnown) return undefined;
  if (type === 'int64') return { dims, values: int64Values(clamped(tensor)) };
  if (type === 'int32') return { dims, values: Array.from(new Int32Array(data.slice().buffer)) };
  if (type === 'bool') return { dims, values: Array.from(data) };
  return undefined;
}

/** A list of axis sizes as values, which is what the Shape operator makes. */
export function knownShape(shape: Shape): Known {
  return { dims: [shape.length], values: shape };
}

/** Exporters write "to the end" as the greatest int64: past 2^53 only the direction counts. */
function clamped(tensor: Tensor): Tensor {
  const values = new BigInt64Array(tensor.data.slice().buffer);
  const most = BigInt(Number.MAX_SAFE_INTEGER);
  const bounded = values.map((value) => (value > most ? most : value < -most ? -most : value));
  return { ...tensor, data: new Uint8Array(bounded.buffer) };
}
