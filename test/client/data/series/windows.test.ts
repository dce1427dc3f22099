import { expect, it } from 'vitest';
import { windows } from '../../../../client/typescript/data/series/windows.ts';

const count = (length: number) => Float32Array.from({ length }, (_, i) => i);

it('cuts every window and what comes after it', () => {
  const { x, y, n, shape } = windows(count(6), { length: 3, horizon: 2 });
  expect([n, shape]).toEqual([2, [3]]);
  expect([...x]).toEqual([0, 1, 2, 1, 2, 3]);
  expect([...y]).toEqual([3, 4, 4, 5]);
});

it('strides, and leaves a gap before what is told', () => {
  const { x, y } = windows(count(9), { length: 2, horizon: 1, stride: 3, gap: 2 });
  expect([...x]).toEqual([0, 1, 3, 4]);
  expect([...y]).toEqual([4, 7]);
});

it('keeps the features of a step together, and tells those asked for', () => {
  const series = Float32Array.of(0, 10, 1, 11, 2, 12, 3, 13);
  const { x, y, shape } = windows(series, { length: 2, horizon: 2, features: 2, targets: [1] });
  expect(shape).toEqual([2, 2]);
  expect([...x]).toEqual([0, 10, 1, 11]);
  expect([...y]).toEqual([12, 13]);
});

it('leaves out windows with a missing value', () => {
  const series = count(8);
  series[3] = Number.NaN;
  const { x, n } = windows(series, { length: 2, horizon: 1 });
  expect(n).toBe(3);
  expect([...x]).toEqual([0, 1, 4, 5, 5, 6]);
});

it('gives none of a series that is too short', () => {
  expect(windows(count(3), { length: 3, horizon: 1 }).n).toBe(0);
});

it.each([
  [{ length: 0, horizon: 1 }, /length/],
  [{ length: 2, horizon: 1, stride: 0 }, /stride/],
  [{ length: 2, horizon: 1, features: 4 }, /series: 6 values/],
  [{ length: 2, horizon: 1, features: 2, targets: [2] }, /targets/],
])('refuses %j', (options, message) => {
  expect(() => windows(count(6), options)).toThrow(message);
});
