import { expect, test } from 'vitest';
import { clientNames } from '../../../local/cli/client-names.ts';
import { bar, bytesText, dollarsText, sparkline } from '../../../local/cli/format.ts';
import { freeName, taskNameOf } from '../../../local/cli/start/task-name.ts';

test.each([
  [0, '0 B'],
  [999, '999 B'],
  [1_500, '1.5 kB'],
  [999_600, '1.0 MB'],
  [123_400_000, '123 MB'],
  [5e12, '5.0 TB'],
  [5e15, '5000 TB'],
])('writes %d bytes as %s', (bytes, text) => {
  expect(bytesText(bytes)).toBe(text);
});

test.each([
  [0, '$0'],
  [12.345, '$12.35'],
  [0.0123, '$0.012'],
  [0.000_046, '$0.000046'],
])('writes %d dollars as %s', (dollars, text) => {
  expect(dollarsText(dollars)).toBe(text);
});

test('draws a sparkline over the range of the values, the newest to the right', () => {
  expect(sparkline([0, 0.5, 1], 10)).toBe('▁▅█');
  expect(sparkline([0, 1, 2, 3], 2)).toBe('▁█');
  expect(sparkline([0.7, 0.7], 5)).toBe('▄▄');
  expect(sparkline([], 5)).toBe('');
});

test('fills a bar to its share and never over its end', () => {
  expect(bar(5, 10, 4)).toBe('██░░');
  expect(bar(15, 10, 4)).toBe('████');
  expect(bar(0, 0, 4)).toBe('░░░░');
});

test.each([
  ['Synthetic-1-1', 'synthetic-1-1'],
  ['Heart Disease (UCI)', 'heart-disease-uci'],
  ['2024 data', 'data'],
  ['---', 'task'],
  ['x'.repeat(80), 'x'.repeat(34)],
])('makes the data set %j the task %j', (name, task) => {
  expect(taskNameOf(name)).toBe(task);
});

test('counts up to a task name that is free', () => {
  expect(freeName('a', new Set())).toBe('a');
  expect(freeName('a', new Set(['a', 'a-2']))).toBe('a-3');
});

test('makes client names of file names, without accents, doubles or characters that the API refuses', () => {
  const files = ['west clinic', 'west-clinic', 'Universität Köln', '北京', '.hidden', '../up', 'x'.repeat(200), ''];
  expect(clientNames(files)).toEqual([
    'west-clinic',
    'west-clinic-2',
    'Universitat-Koln',
    'client-4',
    'hidden',
    'up',
    'x'.repeat(58),
    'client-8',
  ]);
});
