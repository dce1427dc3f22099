import type { Command } from 'commander';
import { TributaryClient } from '../../../client/typescript/client.ts';
import { keyFileStore, loadKeyFile } from '../../../client/typescript/key-file-store.ts';
import type { Console } from '../console.ts';
import { givenEndpointOption } from '../endpoint.ts';

interface RotateOptions {
  readonly endpoint?: string;
  readonly key: string;
  readonly json: boolean;
}

const about = `
The old key is refused from then on. If the answer gets lost, run it again: the new key waits in FILE.next until the federation
has taken it.

Example:
  npx tributary client rotate --key north.json`;

export function addClientRotate(group: Command, console: Console): void {
  group
    .command('rotate')
    .summary("replace a client's key by a new one")
    .requiredOption('--key <file>', 'key file, which is replaced')
    .addOption(givenEndpointOption())
    .option('--json', 'print one JSON object', false)
    .addHelpText('after', about)
    .action(async ({ endpoint, key: path, json }: RotateOptions) => {
      const file = await loadKeyFile(path);
      const client = new TributaryClient({
        endpoint: endpoint ?? file.endpoint,
        identity: file.key,
        keys: keyFileStore(path, file.endpoint),
      });
      const { client: name, kid } = await client.rotateKey(console.signal);
      if (json) console.out(JSON.stringify({ client: name, kid, file: path }));
      else console.out(`client ${name} signs with a new key, in ${path}`);
    });
}
