import { expect, test } from 'vitest';
import { drawDigits, heldOutDigits } from '../../../examples/browser/worker/digits.ts';
import { randomFrom } from '../../../shared/core/random.ts';

test('digits are pictures in [0, 1] of all ten classes, the same for the same name and others for another', () => {
  const ann = drawDigits(200, randomFrom('ann'));
  expect(ann).toMatchObject({ n: 200, shape: [1, 16, 16] });
  expect(ann.x).toHaveLength(200 * 256);
  expect(ann.x.every((value) => value >= 0 && value <= 1)).toBe(true);
  expect(new Set(ann.y).size).toBe(10);
  expect(drawDigits(200, randomFrom('ann'))).toEqual(ann);
  expect(drawDigits(200, randomFrom('bob')).x).not.toEqual(ann.x);
});

test('pictures of one digit are nearer to their own mean than to the others in most cases', () => {
  const { x, y, n } = heldOutDigits(randomFrom('held out'), 20, 40);
  const picture = (i: number) => x.subarray(i * 256, (i + 1) * 256);
  const means = Array.from({ length: 10 }, (_, digit) => {
    const own = Array.from({ length: n }, (_, i) => i).filter((i) => y[i] === digit);
    return Float32Array.from(
      { length: 256 },
      (_, pixel) => own.reduce((sum, i) => sum + picture(i)[pixel], 0) / own.length,
    );
  });
  const distance = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, i) => sum + (value - b[i]) ** 2, 0);
  const right = Array.from(y).filter((digit, i) => {
    const distances = means.map((mean) => distance(picture(i), mean));
    return distances.indexOf(Math.min(...distances)) === digit;
  });
  expect(right.length / n).toBeGreaterThan(0.5);
});
