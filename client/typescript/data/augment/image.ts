/** One image, channels first, and where its pixels go: pure moves of pixels, from numbers that somebody else drew. */
export interface ImageShape {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
}

/** What is seen where a moved image does not reach. */
export type Padding = 'zero' | 'edge' | 'reflect';

/**
 * The image moved down by `dy` and right by `dx` pixels. A random crop after padding by p is this with dy and dx in [-p, p].
 * @param to receives the result, as long as `from` and not the same memory
 */
export function shift(
  from: Float32Array,
  to: Float32Array,
  shape: ImageShape,
  { dy, dx, padding }: { readonly dy: number; readonly dx: number; readonly padding: Padding },
): void {
  const { channels, height, width } = shape;
  for (let c = 0; c < channels; c++) {
    for (let y = 0; y < height; y++) {
      const fromY = source(y - dy, height, padding);
      for (let x = 0; x < width; x++) {
        const fromX = source(x - dx, width, padding);
        const at = (c * height + y) * width + x;
        to[at] = fromY < 0 || fromX < 0 ? 0 : from[(c * height + fromY) * width + fromX];
      }
    }
  }
}

/** Left and right exchanged, or top and bottom, in place. */
export function flip(
  image: Float32Array,
  { channels, height, width }: ImageShape,
  axis: 'horizontal' | 'vertical',
): void {
  if (axis === 'horizontal') {
    for (let row = 0; row < channels * height; row++) image.subarray(row * width, (row + 1) * width).reverse();
    return;
  }
  for (let c = 0; c < channels; c++) {
    for (let y = 0; y < height >> 1; y++) {
      const [upper, lower] = [(c * height + y) * width, (c * height + height - 1 - y) * width];
      const kept = image.slice(upper, upper + width);
      image.copyWithin(upper, lower, lower + width);
      image.set(kept, lower);
    }
  }
}

/** A square of zeros in every channel, in place; parts outside are cut off (cutout: DeVries and Taylor 2017, arXiv:1708.04552). */
export function cutout(
  image: Float32Array,
  { channels, height, width }: ImageShape,
  { top, left, size }: { readonly top: number; readonly left: number; readonly size: number },
): void {
  const [from, to] = [Math.max(0, left), Math.min(width, left + size)];
  if (from >= to) return;
  for (let c = 0; c < channels; c++) {
    for (let y = Math.max(0, top); y < Math.min(height, top + size); y++) {
      image.fill(0, (c * height + y) * width + from, (c * height + y) * width + to);
    }
  }
}

/** Where a pixel comes from, -1 for nowhere. Reflection does not repeat the edge, as `numpy.pad(mode='reflect')`. */
function source(position: number, length: number, padding: Padding): number {
  if (position >= 0 && position < length) return position;
  if (padding === 'zero') return -1;
  const last = length - 1;
  if (padding === 'edge' || last === 0) return position < 0 ? 0 : last;
  const period = 2 * last;
  const folded = ((position % period) + period) % period;
  return folded > last ? period - folded : folded;
}
