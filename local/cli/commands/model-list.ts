import type { Command } from 'commander';
import type { Console } from '../console.ts';
import { endpointOption, resolveEndpoint } from '../endpoint.ts';
import { percentText } from '../format.ts';
import { OperatorApi } from '../operator-api.ts';
import { stalenessOf } from '../start/view.ts';
import { table } from '../table.ts';

export function addModelList(group: Command, console: Console): void {
  group
    .command('list')
    .argument('<task>', "the task's id")
    .summary("list a task's versions, oldest first")
    .addOption(endpointOption())
    .option('--json', 'print one JSON array', false)
    .addHelpText('after', '\nExample:\n  npx tributary model list synthetic-1-1')
    .action(async (task: string, { endpoint, json }: { endpoint?: string; json: boolean }) => {
      const api = new OperatorApi(await resolveEndpoint(endpoint, console.env));
      const versions = await api.versions(task, console.signal);
      if (json) return console.out(JSON.stringify(versions));
      const rows = versions.map((version) => [
        String(version.version),
        new Date(version.publishedAtMs).toISOString().slice(0, 19),
        version.evaluation ? percentText(version.evaluation.accuracy) : '-',
        version.evaluation ? version.evaluation.loss.toFixed(4) : '-',
        String(version.updates),
        stalenessOf(version).mean.toFixed(1),
        version.origin.kind === 'rollback' ? `rollback to ${version.origin.to}` : version.origin.kind,
      ]);
      const head = ['version', 'published', 'accuracy', 'loss', 'updates', 'staleness', 'origin'];
      for (const line of table([head, ...rows], 0)) console.out(line);
    });
}
