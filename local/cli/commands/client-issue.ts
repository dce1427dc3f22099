import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import { keyFileStore } from '../../../client/typescript/key-file-store.ts';
import type { Console } from '../console.ts';
import { endpointOption, resolveEndpoint } from '../endpoint.ts';
import { issueKeys } from '../issue-keys.ts';
import { OperatorApi } from '../operator-api.ts';
import { collectClientNames } from './client-name-argument.ts';

interface IssueCommandOptions {
  readonly endpoint?: string;
  readonly out: string;
  readonly json: boolean;
}

const about = `
For silos that should not have to enrol: each gets a file that holds its endpoint, its name and its key. You have then seen
its key; \`client rotate\`, run there, replaces it by one that only the silo has. Interrupted, run it again: a client whose key
file is there already keeps it.

Example:
  npx tributary client issue north south east --out keys`;

export function addClientIssue(group: Command, console: Console): void {
  group
    .command('issue')
    .argument('<names...>', 'names of the clients', collectClientNames)
    .summary('invite clients, enrol them from here, and write their key files (operator)')
    .addOption(endpointOption())
    .requiredOption('--out <dir>', 'folder for the files NAME.json')
    .option('--json', 'print one JSON array', false)
    .addHelpText('after', about)
    .action(async (names: readonly string[], { endpoint, out, json }: IssueCommandOptions) => {
      const found = await resolveEndpoint(endpoint, console.env);
      await mkdir(out, { recursive: true, mode: 0o700 });
      const pathOf = (name: string) => join(out, `${name}.json`);
      const kept = new Set(names.filter((name) => existsSync(pathOf(name))));
      const keys = await issueKeys(new OperatorApi(found), found.url, names, {
        keysOf: (name) => keyFileStore(pathOf(name), found.url),
        signal: console.signal,
      });
      if (json) {
        const issued = keys.map(({ client, kid }) => ({
          client,
          kid,
          file: pathOf(client),
          issued: !kept.has(client),
        }));
        return console.out(JSON.stringify(issued));
      }
      for (const { client } of keys) {
        console.out(`${pathOf(client)}${kept.has(client) ? '  was there already and is kept' : ''}`);
      }
    });
}
