import { expect, test } from 'vitest';
import { rootEpochs } from '../../../shared/core/root-epochs.ts';

test.each([
  { clients: 'three times as many examples', localEpochs: 1, root: 100, examples: [250, 300, 900], expected: 3 },
  { clients: 'as many examples', localEpochs: 2, root: 100, examples: [100, 100], expected: 2 },
  { clients: 'far fewer examples', localEpochs: 1, root: 1000, examples: [10, 20], expected: 1 },
  { clients: 'far more examples', localEpochs: 2, root: 10, examples: [60_000], expected: 20 },
])('the server takes about the steps of clients with $clients, within bounds', (given) => {
  expect(rootEpochs(given.localEpochs, given.root, given.examples)).toBe(given.expected);
});

test('one client that claims a million examples does not make the server train longer', () => {
  expect(rootEpochs(1, 100, [300, 310, 1_000_000, 290, 305])).toBe(rootEpochs(1, 100, [300, 310, 320, 290, 305]));
});
