import type { Command } from 'commander';
import type { Console } from '../console.ts';
import { endpointOption, resolveEndpoint } from '../endpoint.ts';
import { OperatorApi } from '../operator-api.ts';
import { parseClientName } from './client-name-argument.ts';

const about = `
Revokes the client and deletes its keys, its tickets, and what is stored of its updates. What published versions have
learned stays in them, and their manifests name the client: the answer, which is kept, lists those versions. Updates
that wait for a round are counted as pending: erase again when they have found their version.

Example:
  npx tributary client erase north`;

export function addClientErase(group: Command, console: Console): void {
  group
    .command('erase')
    .argument('<name>', "the client's name", parseClientName)
    .summary('delete what is stored of a client, and list what could not be unlearned (operator)')
    .addOption(endpointOption())
    .option('--json', 'print one JSON object', false)
    .addHelpText('after', about)
    .action(async (client: string, { endpoint, json }: { endpoint?: string; json: boolean }) => {
      const api = new OperatorApi(await resolveEndpoint(endpoint, console.env));
      const erasure = await api.erase(client, console.signal);
      if (json) return console.out(JSON.stringify(erasure));
      const { updatesDeleted, pending, versions } = erasure;
      console.out(`client ${client} is erased: keys, and ${updatesDeleted} tickets with their updates`);
      if (pending > 0) console.out(`  ${pending} updates wait for a round: erase again when it is published`);
      for (const { task, version } of versions) console.out(`  version ${version} of ${task} has learned from it`);
    });
}
