import { mlp } from './mlp.ts';

/**
 * Softmax regression: X [batch, features] -> logits [batch, classes]. Parameters `dense1.weight` and `dense1.bias`, all zero, which is
 * as good a start as any: the loss is convex.
 * @throws {RangeError} on a size that is not a positive integer
 */
export function logisticRegression({ features, classes }: { features: number; classes: number }): Uint8Array {
  return mlp({ features, hidden: [], classes });
}
