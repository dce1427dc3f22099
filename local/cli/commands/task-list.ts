import type { Command } from 'commander';
import type { Console } from '../console.ts';
import { endpointOption, resolveEndpoint } from '../endpoint.ts';
import { OperatorApi } from '../operator-api.ts';
import { table } from '../table.ts';

export function addTaskList(group: Command, console: Console): void {
  group
    .command('list')
    .summary('list the tasks')
    .addOption(endpointOption())
    .option('--json', 'print one JSON array', false)
    .addHelpText(
      'after',
      '\nExample:\n  npx tributary task list --endpoint https://ID.execute-api.eu-central-1.amazonaws.com',
    )
    .action(async ({ endpoint, json }: { endpoint?: string; json: boolean }) => {
      const tasks = await new OperatorApi(await resolveEndpoint(endpoint, console.env)).tasks(console.signal);
      if (json) return console.out(JSON.stringify(tasks));
      if (tasks.length === 0) return console.out('no tasks yet: npx tributary task create examples/task.yaml');
      const rows = tasks.map(({ task, state, version, createdAtMs, description }) => [
        task,
        state,
        String(version),
        new Date(createdAtMs).toISOString().slice(0, 19),
        description ?? '',
      ]);
      for (const line of table([['task', 'state', 'version', 'created', 'description'], ...rows], 99))
        console.out(line);
    });
}
