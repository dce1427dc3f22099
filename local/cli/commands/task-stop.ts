import type { Command } from 'commander';
import type { Console } from '../console.ts';
import { endpointOption, resolveEndpoint } from '../endpoint.ts';
import { OperatorApi } from '../operator-api.ts';

export function addTaskStop(group: Command, console: Console): void {
  group
    .command('stop')
    .argument('<task>', "the task's id")
    .summary('give no more tickets; a round under way still publishes')
    .addOption(endpointOption())
    .option('--json', 'print one JSON object', false)
    .addHelpText('after', '\nExample:\n  npx tributary task stop synthetic-1-1')
    .action(async (task: string, { endpoint, json }: { endpoint?: string; json: boolean }) => {
      await new OperatorApi(await resolveEndpoint(endpoint, console.env)).stopTask(task, console.signal);
      console.out(json ? JSON.stringify({ task, state: 'stopped' }) : `task ${task} is stopped`);
    });
}
