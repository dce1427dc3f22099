import { describe, expect, test } from 'vitest';
import { roundDefinition } from '../../infra/round-definition.ts';
import { simulate } from './simulate.ts';

/** A taste of the campaign, for every commit: `node test/simulation/campaign.ts` runs as many as there is time for. */
const seeds = 250;

describe('a federation under faults', () => {
  test(`keeps the three laws, and comes to rest, in ${seeds} runs`, { timeout: 300_000 }, async () => {
    const failures: string[] = [];
    let versions = 0;
    for (let seed = 1; seed <= seeds; seed++) {
      const run = await simulate(seed);
      versions += run.versions;
      if (run.violations.length > 0) failures.push(`seed ${seed}: ${run.violations[0]}`);
    }
    expect(failures).toEqual([]);
    expect(versions).toBeGreaterThan(seeds);
  });

  test('is a function of its seed: the same one gives the same trace', async () => {
    const traces = [];
    for (let run = 0; run < 2; run++) {
      const lines: string[] = [];
      await simulate(7, { trace: (line) => lines.push(line) });
      traces.push(lines);
    }
    expect(traces[0].length).toBeGreaterThan(100);
    expect(traces[0]).toEqual(traces[1]);
  });

  test('walks the states that the template has', () => {
    const arns = { Freeze: '', Root: '', Losses: '', Measure: '', Judge: '', Aggregate: '', Publish: '' };
    const { StartAt, States } = roundDefinition({ ...arns, Evaluate: '', Seal: '', Settle: '', Release: '' });
    expect(StartAt).toBe('Freeze');
    expect(Object.keys(States)).toEqual([
      ...['Freeze', 'IsFrozen', 'NothingToDo', 'IsJudged', 'NeedsRoot', 'Root', 'NeedsLosses'],
      ...['Losses', 'LossesInline', 'LossesDistributed', 'NeedsMeasures'],
      ...['Measure', 'MeasureInline', 'MeasureDistributed', 'Judge'],
      ...['Aggregate', 'AggregateInline', 'AggregateDistributed', 'HasMoreLevels'],
      ...['Publish', 'Evaluate', 'Seal', 'Settle', 'Done', 'Release', 'RoundFailed'],
    ]);
  });
});
