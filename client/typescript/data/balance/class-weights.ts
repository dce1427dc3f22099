/**
 * Weights that make every class count the same in a loss: n / (classes * count), as scikit-learn's `class_weight='balanced'` (King and
 * Zeng 2001). For softmax-cross-entropy's `classWeights`, which all clients share: take the counts from the agreed encoding.
 * @param counts rows of each class, `[classes]`; a class without rows gets the weight of one row
 * @param strength 1 balances fully, 0 gives all ones, 0.5 the square root
 * @throws {RangeError} on a negative or fractional count, fewer than two classes, or a strength outside [0, 1]
 */
export function classWeights(counts: readonly number[], strength = 1): number[] {
  if (counts.length < 2 || !counts.every((count) => Number.isSafeInteger(count) && count >= 0)) {
    throw new RangeError(`counts: [${counts}], expected a whole number for each of two or more classes`);
  }
  if (!(strength >= 0 && strength <= 1)) throw new RangeError(`strength: ${strength}, expected a number in [0, 1]`);
  const total = counts.reduce((sum, count) => sum + count, 0);
  return counts.map((count) => (total / (counts.length * Math.max(1, count))) ** strength);
}
