import { expect, test } from 'vitest';
import { contributorLines } from '../../../local/cli/commands/task-show.ts';
import { showVersion } from '../../../shared/orchestrator/show-task.ts';
import { MemoryFederation } from '../../memory/federation.ts';

test('a version says who contributed to it and what each runs on', async () => {
  const federation = new MemoryFederation();
  const task = await federation.start({ task: 'demo', round: { buffer: 2 } });
  const values = new Float32Array(federation.layout.size).fill(1);
  await federation.contribute(task, 'north', values, { examples: 30, agent: 'tributary-client/0.1.0 python/3.11' });
  await federation.contribute(
    task,
    'east',
    values.map((value) => -value),
  );
  await federation.runStarted();
  const { contributors } = await showVersion(federation.ports, task, 1);
  expect(contributors).toEqual([
    { client: 'east', examples: 10, staleness: 0, agent: undefined },
    { client: 'north', examples: 30, staleness: 0, agent: 'tributary-client/0.1.0 python/3.11' },
  ]);
  expect(contributorLines(contributors)).toEqual([
    '',
    'clients of the newest version',
    '  client  runs on                             examples  behind',
    '  east                                              10       0',
    '  north   tributary-client/0.1.0 python/3.11        30       0',
  ]);
});

test('a version that no round made has no contributors', async () => {
  const federation = new MemoryFederation();
  const task = await federation.start({ task: 'demo' });
  expect((await showVersion(federation.ports, task, 0)).contributors).toBeUndefined();
  expect(contributorLines(undefined)).toEqual([]);
});
