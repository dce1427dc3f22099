import { expect, test } from 'vitest';
import { estimateUsd } from '../../../../shared/core/cost/prices.ts';

test('prices one round of a small task as done by hand', () => {
  const usage = {
    'lambda.requests': 1_000, // 0.0002
    'lambda.armGbSeconds': 100, // 0.00133334
    'states.transitions': 40, // 0.001
    's3.putRequests': 50, // 0.00025
    's3.getRequests': 100, // 0.00004
    's3.bytesOut': 2 ** 30 / 9, // 0.01
    'dynamodb.writeUnits': 800, // 0.0005
    'sqs.requests': 250, // 0.0001
    'http.requests': 500, // 0.0005
  };
  expect(estimateUsd(usage)).toBeCloseTo(0.01392334, 10);
});

test('charges nothing for nothing, and nothing for what comes in', () => {
  expect(estimateUsd({})).toBe(0);
  expect(estimateUsd({ 's3.bytesIn': 1e12 })).toBe(0);
});

test.each([-1, Number.NaN, Number.POSITIVE_INFINITY])('refuses an amount of %s, naming its kind', (amount) => {
  expect(() => estimateUsd({ 'sqs.requests': amount })).toThrow(/sqs\.requests/);
});
