import type { Command } from 'commander';
import type { Console } from '../console.ts';
import { endpointOption, resolveEndpoint } from '../endpoint.ts';
import { OperatorApi } from '../operator-api.ts';
import { table } from '../table.ts';
import { duration } from '../values.ts';
import { collectClientNames } from './client-name-argument.ts';

const day = 24 * 3600 * 1000;
/** Names in one request: as many as the API takes. */
const atOnce = 100;

interface InviteOptions {
  readonly endpoint?: string;
  readonly lifetime: number;
  readonly json: boolean;
}

const about = `
A code is shown once, works once, and is for one name. Hand each to its client over a channel that you trust: whoever uses it
first is that client. To invite a client that is enrolled already lets it bring a new key, and takes a revocation back.

Examples:
  npx tributary client invite north south --lifetime 2d
  npx tributary client enrol --endpoint URL --code CODE --client north --out north.json     # on the client's machine`;

export function addClientInvite(group: Command, console: Console): void {
  group
    .command('invite')
    .argument('<names...>', 'names of the clients', collectClientNames)
    .summary('make one-time codes with which clients enrol (operator)')
    .addOption(endpointOption())
    .option('--lifetime <time>', 'how long the codes work, from 1s to 30d', duration(1_000, 30 * day), 7 * day)
    .option('--json', 'print one JSON array', false)
    .addHelpText('after', about)
    .action(async (names: readonly string[], { endpoint, lifetime, json }: InviteOptions) => {
      const { url, ...rest } = await resolveEndpoint(endpoint, console.env);
      const api = new OperatorApi({ url, ...rest });
      const invitations = [];
      for (let from = 0; from < names.length; from += atOnce) {
        const request = { clients: names.slice(from, from + atOnce), lifetimeMs: lifetime };
        invitations.push(...(await api.invite(request, console.signal)).invitations);
      }
      if (json) return console.out(JSON.stringify(invitations));
      const rows = invitations.map(({ client, code, expiresAtMs }) => [
        client,
        code,
        `${new Date(expiresAtMs).toISOString().slice(0, 16)}Z`,
      ]);
      for (const line of table([['client', 'code', 'expires'], ...rows], 99)) console.out(line);
      console.err(
        `Each enrols with: npx tributary client enrol --endpoint ${url} --code CODE --client NAME --out NAME.json`,
      );
    });
}
