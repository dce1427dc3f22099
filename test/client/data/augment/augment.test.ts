import { describe, expect, it } from 'vitest';
import { type Augmentation, augment, parseAugmentations } from '../../../../client/typescript/data/augment/augment.ts';
import { cutout, flip, type Padding, shift } from '../../../../client/typescript/data/augment/image.ts';
import { beta, mixup } from '../../../../client/typescript/data/augment/mixup.ts';
import { warpWindow } from '../../../../client/typescript/data/augment/series.ts';
import { randomFrom } from '../../../../shared/core/random.ts';
import type { Samples } from '../../../../shared/core/samples.ts';

const shape = { channels: 1, height: 3, width: 3 };
const image = () => Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9);

describe('images', () => {
  const moved = (dy: number, dx: number, padding: Padding = 'zero') => {
    const to = new Float32Array(9);
    shift(image(), to, shape, { dy, dx, padding });
    return [...to];
  };

  it('shift down and right, with zeros behind', () => {
    expect(moved(1, 1)).toEqual([0, 0, 0, 0, 1, 2, 0, 4, 5]);
    expect(moved(-1, 0)).toEqual([4, 5, 6, 7, 8, 9, 0, 0, 0]);
    expect(moved(5, 0)).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0]);
  });

  it('shift with the edge or the reflection behind, as numpy.pad does', () => {
    expect(moved(0, 1, 'edge')).toEqual([1, 1, 2, 4, 4, 5, 7, 7, 8]);
    expect(moved(0, 2, 'edge')).toEqual([1, 1, 1, 4, 4, 4, 7, 7, 7]);
    expect(moved(0, 1, 'reflect')).toEqual([2, 1, 2, 5, 4, 5, 8, 7, 8]);
    expect(moved(0, -2, 'reflect')).toEqual([3, 2, 1, 6, 5, 4, 9, 8, 7]);
    // numpy.pad([1, 2, 3], (5, 0), mode='reflect')[:3]
    expect(moved(0, 5, 'reflect').slice(0, 3)).toEqual([2, 1, 2]);
  });

  it('flip left and right, top and bottom, in each channel', () => {
    const two = Float32Array.of(...image(), ...image().map((v) => 10 * v));
    flip(two, { ...shape, channels: 2 }, 'horizontal');
    expect([...two.subarray(0, 3), ...two.subarray(15)]).toEqual([3, 2, 1, 90, 80, 70]);
    const other = image();
    flip(other, shape, 'vertical');
    expect([...other]).toEqual([7, 8, 9, 4, 5, 6, 1, 2, 3]);
  });

  it('lose a square, cut off at the edges', () => {
    const holed = image();
    cutout(holed, shape, { top: -1, left: 1, size: 2 });
    expect([...holed]).toEqual([1, 0, 0, 4, 5, 6, 7, 8, 9]);
  });
});

describe('series', () => {
  const warped = (values: number[], window: { start: number; length: number; speed: number }, features = 1) => {
    const to = new Float32Array(values.length);
    warpWindow(Float32Array.from(values), to, { steps: values.length / features, features }, window);
    return [...to];
  };

  it('warp a window and keep both ends', () => {
    // At speed 1 nothing changes; a line stays a line outside of the window.
    expect(warped([0, 1, 4, 9, 16], { start: 1, length: 2, speed: 1 })).toEqual([0, 1, 4, 9, 16]);
    // 9 steps, 4 from step 2 on at double speed take 2: 7 in all, so step i is played at 6 i / 8.
    const fast = warped([0, 1, 2, 3, 4, 5, 6, 7, 8], { start: 2, length: 4, speed: 2 });
    const time = [0, 0.75, 1.5, 2.25, 3, 3.75, 4.5, 5.25, 6];
    const place = time.map((t) => (t < 2 ? t : t < 4 ? 2 + 2 * (t - 2) : t + 2));
    fast.forEach((value, i) => {
      expect(value).toBeCloseTo(place[i], 6);
    });
  });

  it('warp all features alike', () => {
    const both = warped([0, 0, 1, 10, 2, 20, 3, 30, 4, 40], { start: 0, length: 3, speed: 0.5 }, 2);
    for (let step = 0; step < 5; step++) expect(both[2 * step + 1]).toBeCloseTo(10 * both[2 * step], 4);
  });
});

describe('mixup', () => {
  it.each([0.1, 0.4, 1, 5])('draws its shares from Beta(%d, same)', (alpha) => {
    const random = randomFrom('beta');
    const draws = Array.from({ length: 20_000 }, () => beta(alpha, alpha, random));
    const mean = draws.reduce((sum, share) => sum + share, 0) / draws.length;
    const variance = draws.reduce((sum, share) => sum + (share - mean) ** 2, 0) / draws.length;
    expect(mean).toBeCloseTo(0.5, 1.7);
    // Variance of Beta(a, a).
    expect(variance / (1 / (4 * (2 * alpha + 1)))).toBeCloseTo(1, 1.2);
    expect(draws.every((share) => share >= 0 && share <= 1)).toBe(true);
  });

  it('mixes values to regress on as it mixes features', () => {
    const held: Samples = {
      x: Float32Array.of(0, 1, 2, 3),
      y: Float32Array.of(0, 0, 10, -1, 20, -2, 30, -3),
      n: 4,
      shape: [1],
    };
    const { x, y } = mixup(held, 1, randomFrom(2));
    for (let i = 0; i < 4; i++) {
      expect(y[2 * i]).toBeCloseTo(10 * x[i], 4);
      expect(y[2 * i + 1]).toBeCloseTo(-x[i], 4);
    }
  });

  it('leaves the chance of a class at its share of the features', () => {
    // x tells the share of class 1 exactly; over many examples the labels agree with it.
    const n = 20_000;
    const held: Samples = {
      x: Float32Array.from({ length: n }, (_, i) => i % 2),
      y: Int32Array.from({ length: n }, (_, i) => i % 2),
      n,
      shape: [1],
    };
    const { x, y } = mixup(held, 1, randomFrom(3));
    const [low, high] = [0, 1].map((half) => {
      const chosen = [...x.keys()].filter((i) => x[i] > 0.01 && x[i] < 0.99 && (x[i] >= 0.5 ? 1 : 0) === half);
      return chosen.reduce((sum, i) => sum + y[i] - x[i], 0) / chosen.length;
    });
    expect(low).toBeCloseTo(0, 1.3);
    expect(high).toBeCloseTo(0, 1.3);
  });
});

describe('augmentations as JSON', () => {
  const images: Samples = {
    x: Float32Array.from({ length: 4 * 9 }, (_, i) => 1 + (i % 9)),
    y: Int32Array.of(0, 1, 2, 3),
    n: 4,
    shape: [1, 3, 3],
  };
  const all: Augmentation[] = parseAugmentations([
    { kind: 'shift', most: 1 },
    { kind: 'flip' },
    { kind: 'cutout', size: 1 },
    { kind: 'jitter', deviation: 0.1 },
    { kind: 'mixup' },
  ]);

  it('draw from the stream alone, and leave the client its own examples', () => {
    const before = images.x.slice();
    const drawn = augment(images, all, randomFrom(1));
    expect(drawn.x).toEqual(augment(images, all, randomFrom(1)).x);
    expect(drawn.x).not.toEqual(augment(images, all, randomFrom(2)).x);
    expect(images.x).toEqual(before);
    expect([drawn.n, drawn.shape]).toEqual([4, [1, 3, 3]]);
  });

  it('scale each feature of a series by one factor', () => {
    const series: Samples = {
      x: Float32Array.of(1, 10, 2, 20, 3, 30),
      y: Int32Array.of(0),
      n: 1,
      shape: [3, 2],
    };
    const { x } = augment(series, parseAugmentations([{ kind: 'scale', deviation: 0.5 }]), randomFrom(1));
    expect(x[2] / x[0]).toBeCloseTo(2, 5);
    expect(x[5] / x[1]).toBeCloseTo(3, 5);
    expect(x[1] / x[0]).not.toBeCloseTo(10, 2);
  });

  it('refuse examples of another kind, and settings that are none', () => {
    expect(() => augment({ ...images, shape: [9] }, all, randomFrom(1))).toThrow(/augmentation-unsuitable.*\[9\]/);
    expect(() => parseAugmentations([{ kind: 'shift', most: 0 }])).toThrow(/augmentation-invalid/);
    expect(() => parseAugmentations([{ kind: 'rotate' }])).toThrow(/augmentation-invalid/);
  });
});
