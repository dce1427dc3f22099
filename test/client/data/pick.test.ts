import { expect, it } from 'vitest';
import { concatenate, pick, slice } from '../../../client/typescript/data/pick.ts';
import type { Samples } from '../../../shared/core/samples.ts';

const values: Samples = { x: Float32Array.of(1, 2, 3), y: Float32Array.of(1, 10, 2, 20, 3, 30), n: 3, shape: [1] };
const none: Samples = { x: new Float32Array(), y: new Float32Array(), n: 0, shape: [1] };

it('keeps the values of an example together: of a slice, of a choice, and of sets put together', () => {
  expect(slice(values, 1, 3)).toEqual({ x: Float32Array.of(2, 3), y: Float32Array.of(2, 20, 3, 30), n: 2, shape: [1] });
  expect(pick(values, [2, 0])).toEqual({
    x: Float32Array.of(3, 1),
    y: Float32Array.of(3, 30, 1, 10),
    n: 2,
    shape: [1],
  });
  expect(concatenate([slice(values, 2, 3), none, slice(values, 0, 1)], [1])).toEqual(pick(values, [2, 0]));
  expect(slice(none, 0, 0)).toEqual(none);
});

it('leaves classes whole numbers', () => {
  const classes: Samples = { x: Float32Array.of(1, 2), y: Int32Array.of(7, 8), n: 2, shape: [1] };
  expect(concatenate([classes, pick(classes, [1])], [1]).y).toEqual(Int32Array.of(7, 8, 8));
});
