const largest = 1e15;
const smallest = 1e-100;

/**
 * The nearest number that a store takes: DynamoDB holds 1e-130 to 1e126, its document client nothing past 2^53. A model that
 * diverges reports such numbers, and NaN, which becomes the largest.
 */
export function storable(value: number): number {
  if (Number.isNaN(value)) return largest;
  if (Math.abs(value) < smallest) return 0;
  return Math.min(largest, Math.max(-largest, value));
}
