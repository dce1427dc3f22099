import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { logger } from '../../functions/logger.ts';
import { readCorpus } from './corpus.ts';
import { attack } from './run.ts';
import { attempt } from './target.ts';
import { targets } from './targets/all.ts';

/** Inputs for each target here; test/fuzz/campaign.ts has more. */
const runs = 150;

beforeAll(() => {
  for (const level of ['warn', 'error'] as const) vi.spyOn(logger, level).mockImplementation(() => {});
});
afterAll(() => {
  vi.restoreAllMocks();
});

const corpus = readCorpus();

describe.each(targets.map((target) => [target.name, target] as const))('%s', (name, target) => {
  it('takes what is valid', async () => {
    for (const bytes of target.valid) expect(await attempt(target, bytes)).toBe('accepted');
  });

  it('withstands what is not: a refusal with a code, or an input that makes sense', { timeout: 30_000 }, async () => {
    const { failure } = await attack(target, { seed: 1, runs });
    expect(failure).toBeUndefined();
  });

  const own = corpus.filter((entry) => entry.target === name).map((entry) => [entry.file, entry] as const);
  it.each(own)('%s', async (_, { bytes, outcome }) => {
    expect(await attempt(target, bytes)).toBe(outcome);
  });
});

it('every file of the corpus is of a target', () => {
  const names = new Set(targets.map(({ name }) => name));
  expect(corpus.filter(({ target }) => !names.has(target))).toEqual([]);
  expect(corpus.length).toBeGreaterThan(40);
});
