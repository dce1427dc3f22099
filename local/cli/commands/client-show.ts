import type { Command } from 'commander';
import type { Console } from '../console.ts';
import { endpointOption, resolveEndpoint } from '../endpoint.ts';
import { OperatorApi } from '../operator-api.ts';
import { parseClientName } from './client-name-argument.ts';

export function addClientShow(group: Command, console: Console): void {
  group
    .command('show')
    .argument('<name>', "the client's name", parseClientName)
    .summary("show a client's state and its keys, old ones included (operator)")
    .addOption(endpointOption())
    .option('--json', 'print one JSON object', false)
    .addHelpText('after', '\nExample:\n  npx tributary client show north')
    .action(async (name: string, { endpoint, json }: { endpoint?: string; json: boolean }) => {
      const client = await new OperatorApi(await resolveEndpoint(endpoint, console.env)).client(name, console.signal);
      if (json) return console.out(JSON.stringify(client));
      const { state, reason, enrolledAtMs, keys } = client;
      console.out(`${name} is ${state}${reason ? `: ${reason}` : ''}`);
      console.out(`  enrolled  ${timeText(enrolledAtMs)}`);
      for (const [i, { kid, addedAtMs }] of keys.entries()) {
        console.out(`  key       ${kid} since ${timeText(addedAtMs)}${i === keys.length - 1 ? '' : ', replaced'}`);
      }
    });
}

function timeText(ms: number): string {
  return new Date(ms).toISOString().slice(0, 19);
}
