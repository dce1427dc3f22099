import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runCampaign } from '../chaos/campaign.ts';
import { freshAssembly } from './small-federation.ts';

const rounds = 5;

/** The large one: `node test/chaos/kill-campaign.ts`. */
test('kill -9 of functions and of the cloud itself loses no update, counts none twice and changes no model', async () => {
  const result = await runCampaign({
    seed: 7,
    rounds,
    functionsPerRound: 2,
    clouds: 2,
    clients: 24,
    concurrency: 10,
    buffer: 5,
    assembly: await freshAssembly(),
    folder: mkdtempSync(join(tmpdir(), 'tributary-e2e-kill-')),
    log: () => {},
  });
  expect(result.violations).toEqual([]);
  expect(result.versions).toBe(rounds);
  expect(result.updates.aggregated).toBeGreaterThanOrEqual(rounds);
  const { cloud, ...functions } = result.kills;
  expect(cloud).toBeGreaterThanOrEqual(1);
  expect(Object.keys(functions).length).toBeGreaterThanOrEqual(2);
});
