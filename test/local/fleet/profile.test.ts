import { expect, test } from 'vitest';
import { defaultTraits, drawProfile } from '../../../local/fleet/profile.ts';
import { randomFrom } from '../../../shared/core/random.ts';

const names = Array.from({ length: 4_000 }, (_, i) => `client-${i}`);
const fleet = (seed: number) => names.map((name) => drawProfile(defaultTraits, randomFrom(seed), name));

test('the same seed and name give the same device, whoever else is in the fleet', () => {
  const alone = drawProfile(defaultTraits, randomFrom(1), 'client-7');
  expect(fleet(1)[7]).toEqual(alone);
  expect(fleet(2)[7]).not.toEqual(alone);
});

test('about the asked share are stragglers', () => {
  const share = fleet(3).filter(({ straggler }) => straggler).length / names.length;
  // Four standard deviations of a binomial share with p = 0.15 and n = 4000.
  expect(Math.abs(share - 0.15)).toBeLessThan(4 * Math.sqrt((0.15 * 0.85) / 4_000));
});

test('stragglers are 5 to 10 times slower than the same device would be', () => {
  const all = { ...defaultTraits, stragglers: 1 };
  const none = { ...defaultTraits, stragglers: 0 };
  for (const name of names.slice(0, 200)) {
    const slow = drawProfile(all, randomFrom(4), name);
    const usual = drawProfile(none, randomFrom(4), name);
    expect(slow.trainMs / usual.trainMs).toBeGreaterThanOrEqual(5);
    expect(slow.trainMs / usual.trainMs).toBeLessThanOrEqual(10);
  }
});

test('the median device takes the typical time', () => {
  const times = fleet(5)
    .filter(({ straggler }) => !straggler)
    .map(({ trainMs }) => trainMs)
    .sort((a, b) => a - b);
  expect(times[times.length >> 1] / defaultTraits.typicalMs).toBeCloseTo(1, 1);
});
