import { FlError } from '../../../../shared/core/errors.ts';
import type { Samples } from '../../../../shared/core/samples.ts';
import { type Image, withChannels } from './image.ts';
import { parseNetpbm } from './netpbm.ts';

/** A file by its content: PNG, PGM or PPM. @throws {FlError} data-malformed; JPEG and others are for the browser alone */
export async function decodeImage(bytes: Uint8Array, name: string): Promise<Image> {
  if (bytes[0] === 0x50 && bytes[1] >= 0x31 && bytes[1] <= 0x37) return parseNetpbm(bytes, name);
  if (bytes[0] === 0x89 && bytes[1] === 0x50) {
    // Loaded late: who has other pictures need not load it.
    const { parsePng } = await import('./png.ts');
    return parsePng(bytes, name);
  }
  throw new FlError('data-malformed', `${name}: neither PNG, PGM nor PPM; convert it, or decode it in a browser`);
}

/** A picture and its class. */
export interface LabelledImage {
  readonly name: string;
  readonly image: Image;
  readonly label: string;
}

/**
 * Examples of pictures, all of one size: x `[channels, height, width]` in [0, 1], y the label's position in `classes`.
 * @throws {FlError} data-malformed on a picture of another size; label-unsuitable on a class that is not one of the task's
 */
export function imageSamples(
  pictures: readonly LabelledImage[],
  classes: readonly string[],
  shape: { readonly channels: 1 | 3; readonly height: number; readonly width: number },
): Samples {
  const { channels, height, width } = shape;
  const size = channels * height * width;
  const x = new Float32Array(pictures.length * size);
  const y = new Int32Array(pictures.length);
  pictures.forEach(({ name, image, label }, i) => {
    if (image.height !== height || image.width !== width) {
      const found = `${image.width} x ${image.height} pixels`;
      throw new FlError('data-malformed', `${name}: ${found}, expected ${width} x ${height}: resize it before`);
    }
    y[i] = classes.indexOf(label);
    if (y[i] < 0) throw new FlError('label-unsuitable', `${name}: "${label}" is none of ${classes.join(', ')}`);
    x.set(withChannels(image, channels).values, i * size);
  });
  return { x, y, n: pictures.length, shape: [channels, height, width] };
}
