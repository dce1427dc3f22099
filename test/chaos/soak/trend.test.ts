import { expect, test } from 'vitest';
import { trendOf, verdictOf } from './trend.ts';

const line = (ys: readonly number[]) => ys.map((y, x) => ({ x, y }));

test('the slope is the median of all pairs: one wild point does not move it', () => {
  // Pairs of 0, 1, 2, 30: slopes 1, 1, 10, 1, 14.5, 28, sorted 1 1 1 10 14.5 28: the median is (1 + 10) / 2.
  expect(trendOf(line([0, 1, 2, 30])).slope).toBe(5.5);
  expect(trendOf(line([0, 1, 2, 3, 400, 5, 6, 7, 8])).slope).toBe(1);
});

test('the interval of a straight line is its slope', () => {
  expect(trendOf(line([0, 2, 4, 6, 8, 10, 12, 14]))).toEqual({ slope: 2, low: 2, high: 2 });
});

test('tells a level from a climb, and says when it cannot', () => {
  const noise = [3, -2, 1, -4, 2, 0, -1, 4, -3, 1, -2, 2, 0, -1, 3, -3, 1, 0, -2, 2];
  const hours = (level: number, climb: number) => noise.map((each, i) => ({ x: i / 10, y: level + climb * i + each }));
  expect(verdictOf(hours(1000, 0))).toBe('flat');
  expect(verdictOf(hours(1000, 20))).toBe('grows');
  expect(verdictOf(hours(20, 0))).toBe('unclear');
});

test('tells a step from a climb', () => {
  const minutes = (levelAt: (minute: number) => number) =>
    Array.from({ length: 40 }, (_, i) => ({ x: (20 + i) / 60, y: levelAt(20 + i) }));
  const settling = (minute: number) => (minute < 32 ? 100 + 0.3 * (minute - 20) : 108 + 0.05 * (minute - 32));
  expect(verdictOf(minutes(settling))).toBe('stepped');
  expect(verdictOf(minutes((minute) => 100 + minute / 3))).toBe('grows');
  // Slow at first, then faster: it does not end.
  expect(verdictOf(minutes((minute) => 100 + (minute * minute) / 200))).toBe('grows');
});
