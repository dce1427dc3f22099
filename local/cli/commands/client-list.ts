import type { Command } from 'commander';
import type { Console } from '../console.ts';
import { endpointOption, resolveEndpoint } from '../endpoint.ts';
import { OperatorApi } from '../operator-api.ts';
import { table } from '../table.ts';

export function addClientList(group: Command, console: Console): void {
  group
    .command('list')
    .summary('list the enrolled clients (operator)')
    .addOption(endpointOption())
    .option('--json', 'print one JSON array', false)
    .addHelpText('after', '\nExample:\n  npx tributary client list')
    .action(async ({ endpoint, json }: { endpoint?: string; json: boolean }) => {
      const clients = await new OperatorApi(await resolveEndpoint(endpoint, console.env)).clients(console.signal);
      if (json) return console.out(JSON.stringify(clients));
      if (clients.length === 0) return console.out('no clients yet: npx tributary client invite NAME');
      const rows = clients.map(({ client, state, enrolledAtMs, keys, reason }) => [
        client,
        state,
        new Date(enrolledAtMs).toISOString().slice(0, 19),
        keys.at(-1)?.kid ?? '',
        reason ?? '',
      ]);
      for (const line of table([['client', 'state', 'enrolled', 'key', 'reason'], ...rows], 99)) console.out(line);
    });
}
