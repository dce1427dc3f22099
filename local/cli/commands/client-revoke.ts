import type { Command } from 'commander';
import type { Console } from '../console.ts';
import { endpointOption, resolveEndpoint } from '../endpoint.ts';
import { OperatorApi } from '../operator-api.ts';
import { parseClientName } from './client-name-argument.ts';

interface RevokeOptions {
  readonly endpoint?: string;
  readonly reason?: string;
  readonly json: boolean;
}

const about = `
From then on its requests are refused, and an update that it still uploads goes into quarantine; what was admitted before
counts. \`client invite\` takes it back, with a new key.

Example:
  npx tributary client revoke north --reason "laptop stolen"`;

export function addClientRevoke(group: Command, console: Console): void {
  group
    .command('revoke')
    .argument('<name>', "the client's name", parseClientName)
    .summary('refuse a client from now on (operator)')
    .addOption(endpointOption())
    .option('--reason <text>', 'kept with the client, for you')
    .option('--json', 'print one JSON object', false)
    .addHelpText('after', about)
    .action(async (client: string, { endpoint, reason, json }: RevokeOptions) => {
      await new OperatorApi(await resolveEndpoint(endpoint, console.env)).revoke(client, reason, console.signal);
      console.out(json ? JSON.stringify({ client, state: 'revoked', reason }) : `client ${client} is revoked`);
    });
}
