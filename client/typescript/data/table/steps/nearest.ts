import type { FittedStepOf } from '../encoding.ts';
import { columnOf, type Frame } from '../frame.ts';

/** Donors searched at most, evenly spread: the search is quadratic. */
const maximumDonors = 2000;

/**
 * Fills a missing value with the mean of its `neighbours` nearest donors that have one, all columns of the step being coordinates
 * (Troyanskaya et al. 2001). Distances skip coordinates that either row misses and are scaled up for them, as in scikit-learn's
 * `nan_euclidean_distances`; rows that share no coordinate are no neighbours. Standardise before, or the column of the largest
 * unit decides. Donors are the silo's own rows: nothing is told to anybody.
 */
export function fillByNearest(
  { columns, neighbours }: FittedStepOf<'fill-nearest'>,
  frame: Frame,
  donors: Frame,
): void {
  const rows = columns.map(({ name }) => columnOf(frame, name));
  const given = columns.map(({ name }) => columnOf(donors, name));
  const stride = Math.max(1, donors.rows / maximumDonors);
  const candidates = Array.from({ length: Math.min(donors.rows, maximumDonors) }, (_, k) => Math.floor(k * stride));
  const filled: { readonly values: Float64Array; readonly row: number; readonly value: number }[] = [];
  for (let row = 0; row < frame.rows; row++) {
    if (!rows.some((values) => Number.isNaN(values[row]))) continue;
    const distances = candidates.map((donor) => distance(rows, row, given, donor));
    rows.forEach((values, c) => {
      if (!Number.isNaN(values[row])) return;
      const nearest = candidates
        .map((donor, k) => ({ value: given[c][donor], distance: distances[k] }))
        .filter((one) => !Number.isNaN(one.value) && !Number.isNaN(one.distance))
        .sort((a, b) => a.distance - b.distance)
        .slice(0, neighbours);
      const value =
        nearest.length === 0 ? columns[c].value : nearest.reduce((sum, one) => sum + one.value, 0) / nearest.length;
      filled.push({ values, row, value });
    });
  }
  // Written last: what is filled in is no donor.
  for (const { values, row, value } of filled) values[row] = value;
}

/** Squared Euclidean distance over shared coordinates, scaled to all of them; NaN if none is shared. */
function distance(a: readonly Float64Array[], row: number, b: readonly Float64Array[], donor: number): number {
  let shared = 0;
  let sum = 0;
  for (let c = 0; c < a.length; c++) {
    const gap = a[c][row] - b[c][donor];
    if (Number.isNaN(gap)) continue;
    shared++;
    sum += gap * gap;
  }
  return shared === 0 ? Number.NaN : (sum * a.length) / shared;
}
