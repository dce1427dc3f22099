import type { Command } from 'commander';
import type { Console } from '../console.ts';
import { endpointOption, resolveEndpoint } from '../endpoint.ts';
import { OperatorApi } from '../operator-api.ts';

export function addTaskResume(group: Command, console: Console): void {
  group
    .command('resume')
    .argument('<task>', "the task's id")
    .summary('let clients in again: a stopped or suspended task goes on where it was')
    .addOption(endpointOption())
    .option('--json', 'print one JSON object', false)
    .addHelpText('after', '\nExample:\n  npx tributary task resume synthetic-1-1')
    .action(async (task: string, { endpoint, json }: { endpoint?: string; json: boolean }) => {
      await new OperatorApi(await resolveEndpoint(endpoint, console.env)).startTask(task, console.signal);
      console.out(json ? JSON.stringify({ task, state: 'running' }) : `task ${task} is running`);
    });
}
