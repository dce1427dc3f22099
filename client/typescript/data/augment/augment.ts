import { z } from 'zod';
import { FlError } from '../../../../shared/core/errors.ts';
import type { Random } from '../../../../shared/core/random.ts';
import type { Samples } from '../../../../shared/core/samples.ts';
import { issuesText } from '../issues.ts';
import { cutout, flip, type ImageShape, shift } from './image.ts';
import { mixup } from './mixup.ts';
import { type SeriesShape, warpWindow } from './series.ts';

const pixels = z.number().int().min(1).max(1000);
const deviation = z.number().positive();

/** Changes that leave an example's meaning as it is. Images are `[channels, height, width]`, series `[steps]` or `[steps, features]`. */
const augmentationSchema = z.discriminatedUnion('kind', [
  /** Moves an image by up to `most` pixels either way: also a random crop after padding by `most`. */
  z.strictObject({
    kind: z.literal('shift'),
    most: pixels,
    padding: z.enum(['zero', 'edge', 'reflect']).default('zero'),
  }),
  /** With one chance in two. */
  z.strictObject({ kind: z.literal('flip'), axis: z.enum(['horizontal', 'vertical']).default('horizontal') }),
  /** A square of zeros of `size` pixels about any pixel. */
  z.strictObject({ kind: z.literal('cutout'), size: pixels }),
  /** Adds normal noise, in units of x (Um et al. 2017, arXiv:1706.00527). */
  z.strictObject({ kind: z.literal('jitter'), deviation }),
  /** Multiplies each feature of a series by one normal number about 1 (Um et al. 2017). */
  z.strictObject({ kind: z.literal('scale'), deviation }),
  /** Plays a window of a series at double or half speed; `share` of its steps. */
  z.strictObject({ kind: z.literal('window-warp'), share: z.number().gt(0).max(1).default(0.1) }),
  /** Mixes examples, and their targets. */
  z.strictObject({ kind: z.literal('mixup'), alpha: z.number().positive().max(100).default(0.2) }),
]);
export type Augmentation = z.output<typeof augmentationSchema>;
export const augmentationsSchema = z.array(augmentationSchema).min(1).max(20);

/** @throws {FlError} augmentation-invalid, naming every field that is wrong */
export function parseAugmentations(input: unknown): Augmentation[] {
  const { data, error } = augmentationsSchema.safeParse(input);
  if (error) throw new FlError('augmentation-invalid', issuesText(error));
  return data;
}

/**
 * New examples from the client's own, one of each: draw anew for every update.
 * @throws {FlError} augmentation-unsuitable if the examples are no images or series
 */
export function augment(samples: Samples, augmentations: readonly Augmentation[], random: Random): Samples {
  return augmentations.reduce((held, augmentation) => apply(held, augmentation, random), samples);
}

function apply(samples: Samples, augmentation: Augmentation, random: Random): Samples {
  switch (augmentation.kind) {
    case 'mixup':
      return mixup(samples, augmentation.alpha, random);
    case 'shift': {
      const { most, padding } = augmentation;
      const shape = imageShape(samples);
      const draw = () => random.below(2 * most + 1) - most;
      return eachExample(samples, (from, to) => shift(from, to, shape, { dy: draw(), dx: draw(), padding }));
    }
    case 'flip': {
      const shape = imageShape(samples);
      return eachExample(samples, (from, to) => {
        to.set(from);
        if (random.next() < 0.5) flip(to, shape, augmentation.axis);
      });
    }
    case 'cutout': {
      const { size } = augmentation;
      const shape = imageShape(samples);
      const start = (length: number) => random.below(length) - (size >> 1);
      return eachExample(samples, (from, to) => {
        to.set(from);
        cutout(to, shape, { top: start(shape.height), left: start(shape.width), size });
      });
    }
    case 'jitter':
      return eachExample(samples, (from, to) => {
        for (let i = 0; i < from.length; i++) to[i] = from[i] + random.normal(0, augmentation.deviation);
      });
    case 'scale': {
      const { features } = seriesShape(samples);
      return eachExample(samples, (from, to) => {
        const factors = Array.from({ length: features }, () => random.normal(1, augmentation.deviation));
        for (let i = 0; i < from.length; i++) to[i] = from[i] * factors[i % features];
      });
    }
    case 'window-warp': {
      const shape = seriesShape(samples);
      const length = Math.max(1, Math.round(augmentation.share * shape.steps));
      return eachExample(samples, (from, to) => {
        const start = random.below(shape.steps - length + 1);
        warpWindow(from, to, shape, { start, length, speed: random.next() < 0.5 ? 0.5 : 2 });
      });
    }
  }
}

/** Writes every example anew; targets stay. */
function eachExample(samples: Samples, write: (from: Float32Array, to: Float32Array) => void): Samples {
  const width = samples.x.length / Math.max(1, samples.n);
  const x = new Float32Array(samples.x.length);
  for (let at = 0; at < x.length; at += width) write(samples.x.subarray(at, at + width), x.subarray(at, at + width));
  return { ...samples, x };
}

function imageShape({ shape }: Samples): ImageShape {
  if (shape.length !== 3) throw unsuitable('an image [channels, height, width]', shape);
  const [channels, height, width] = shape;
  return { channels, height, width };
}

function seriesShape({ shape }: Samples): SeriesShape {
  if (shape.length !== 1 && shape.length !== 2) throw unsuitable('a series [steps] or [steps, features]', shape);
  const [steps, features = 1] = shape;
  return { steps, features };
}

function unsuitable(expected: string, shape: readonly number[]): FlError {
  return new FlError('augmentation-unsuitable', `an example has shape [${shape}], expected ${expected}`);
}
