import { expect, test } from 'vitest';
import { failedItems } from '../../../local/cloud/lambda/batch-report.ts';
import type { InvocationResult } from '../../../local/cloud/lambda/invocation.ts';
import type { Json } from '../../../local/cloud/template/assembly.ts';

const ids = ['a', 'b', 'c'];
const report = (...itemIdentifiers: Json[]): InvocationResult => ({
  payload: { batchItemFailures: itemIdentifiers.map((itemIdentifier) => ({ itemIdentifier })) },
});

// "Success and failure conditions" of "Implementing partial batch responses", AWS Lambda developer guide.
test.for<[string, InvocationResult, string[]]>([
  ['an empty list is a success', report(), []],
  ['a null list is a success', { payload: { batchItemFailures: null } }, []],
  ['an empty object is a success', { payload: {} }, []],
  ['null is a success', { payload: null }, []],
  ['named items fail', report('b'), ['b']],
  ['an item named twice fails once', report('b', 'b'), ['b']],
  ['an empty identifier fails the batch', report(''), ids],
  ['a null identifier fails the batch', report(null), ids],
  ['a wrong key fails the batch', { payload: { batchItemFailures: [{ id: 'b' }] } }, ids],
  ['an unknown identifier fails the batch', report('b', 'x'), ids],
  ['text fails the batch', { payload: 'ok' }, ids],
  ['an error fails the batch', { functionError: { errorType: 'E', errorMessage: '' } }, ids],
])('%s', ([, result, failed]) => {
  expect([...failedItems(result, ids, true)]).toEqual(failed);
});

test('a function that does not report succeeds or fails as a whole', () => {
  expect(failedItems(report('b'), ids, false).size).toBe(0);
  expect([...failedItems({ functionError: { errorType: 'E', errorMessage: '' } }, ids, false)]).toEqual(ids);
});
