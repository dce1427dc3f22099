import { existsSync } from 'node:fs';
import { type Command, Option } from 'commander';
import { enrol } from '../../../client/typescript/enrol.ts';
import { keyFileStore } from '../../../client/typescript/key-file-store.ts';
import { type Console, UsageError } from '../console.ts';
import { endpointOption, resolveEndpoint } from '../endpoint.ts';
import { parseClientName } from './client-name-argument.ts';

interface EnrolCommandOptions {
  readonly endpoint?: string;
  readonly code: string;
  readonly client: string;
  readonly out: string;
  readonly json: boolean;
}

const about = `
The key is made here and its private half never leaves this machine. If the answer gets lost, run the same command again: the
key waits in FILE.next until the federation has taken it. Whoever has FILE is this client.

Example:
  npx tributary client enrol --endpoint https://ID.execute-api.eu-central-1.amazonaws.com \\
      --code CODE --client north --out north.json`;

export function addClientEnrol(group: Command, console: Console): void {
  group
    .command('enrol')
    .alias('enroll')
    .summary("register a key under a name with the operator's one-time code")
    .addOption(endpointOption())
    .addOption(new Option('--code <code>', 'the one-time code').env('TRIBUTARY_CODE').makeOptionMandatory())
    .requiredOption('--client <name>', 'the name that the code is for', parseClientName)
    .requiredOption(
      '--out <file>',
      'key file to write, readable by its owner only; one that is there is not overwritten',
    )
    .option('--json', 'print one JSON object', false)
    .addHelpText('after', about)
    .action(async ({ endpoint, code, client, out, json }: EnrolCommandOptions) => {
      if (!/^[A-Za-z0-9_-]{43}$/.test(code))
        throw new UsageError('--code: expected the 43 characters of an invitation');
      if (existsSync(out)) throw new UsageError(`--out ${out}: there is a file already; it may hold a key`);
      const { url } = await resolveEndpoint(endpoint, console.env);
      const keys = keyFileStore(out, url);
      const { kid } = await enrol({ endpoint: url, code, client, keys, signal: console.signal });
      if (json) console.out(JSON.stringify({ client, kid, endpoint: url, file: out }));
      else console.out(`client ${client} is enrolled; its key is in ${out}: keep it secret`);
    });
}
