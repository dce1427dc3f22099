import type { Command } from 'commander';
import type { Console } from '../console.ts';
import { endpointOption, resolveEndpoint } from '../endpoint.ts';
import { OperatorApi } from '../operator-api.ts';
import { integer } from '../values.ts';

export function addModelRollback(group: Command, console: Console): void {
  group
    .command('rollback')
    .argument('<task>', "the task's id")
    .argument('<version>', 'number of the version to go back to', integer(0))
    .summary('publish an earlier version as the next one; nothing is erased')
    .addOption(endpointOption())
    .option('--json', 'print one JSON object', false)
    .addHelpText('after', '\nExample:\n  npx tributary model rollback synthetic-1-1 12')
    .action(async (task: string, to: number, { endpoint, json }: { endpoint?: string; json: boolean }) => {
      const api = new OperatorApi(await resolveEndpoint(endpoint, console.env));
      const { version } = await api.rollback(task, to, console.signal);
      console.out(
        json ? JSON.stringify({ task, version, to }) : `version ${version} of ${task} is version ${to} again`,
      );
    });
}
