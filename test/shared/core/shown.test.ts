import { expect, it } from 'vitest';
import { shown } from '../../../shared/core/shown.ts';

it.each([
  ['[[[[', '"[[[["'],
  [[1, [2], { a: 3 }], '[1,…,…]'],
  [Array(9).fill(0), '[0,0,0,0,0,0,0,0,…]'],
  [{ a: 1 }, 'an object'],
  ['a\u0000\ud800', '"a\\u0000\\ud800"'],
  [undefined, 'undefined'],
  [null, 'null'],
  [-0.5, '-0.5'],
  ['n'.repeat(1_000_000), `"${'n'.repeat(99)}…`],
])('shows %j in a line', (value, line) => {
  expect(shown(value)).toBe(line);
});

it('shows a list that holds itself 100,000 deep', () => {
  expect(shown(JSON.parse('['.repeat(100_000) + ']'.repeat(100_000)))).toBe('[…]');
});
