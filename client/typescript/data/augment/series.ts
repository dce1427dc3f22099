/** One series `[steps, features]`, step after step. */
export interface SeriesShape {
  readonly steps: number;
  readonly features: number;
}

/**
 * Plays the steps `[start, start + length)` at `speed` and brings the series back to its length, by linear interpolation (window warping:
 * Le Guennec, Malinowski and Tavenard 2016).
 * @param speed 2 halves the time that the window takes, 0.5 doubles it
 * @param to receives the result, as long as `from` and not the same memory
 */
export function warpWindow(
  from: Float32Array,
  to: Float32Array,
  { steps, features }: SeriesShape,
  { start, length, speed }: { readonly start: number; readonly length: number; readonly speed: number },
): void {
  const warped = length / speed;
  const total = steps - length + warped;
  for (let step = 0; step < steps; step++) {
    // Ends stay where they are.
    const time = steps === 1 ? 0 : (step * (total - 1)) / (steps - 1);
    const place = time < start ? time : time < start + warped ? start + (time - start) * speed : time - warped + length;
    const held = Math.min(steps - 1, Math.max(0, place));
    const before = Math.min(steps - 1, Math.floor(held));
    const after = Math.min(steps - 1, before + 1);
    const share = held - before;
    for (let f = 0; f < features; f++) {
      to[step * features + f] = (1 - share) * from[before * features + f] + share * from[after * features + f];
    }
  }
}
