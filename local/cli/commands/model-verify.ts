import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { FlError } from '../../../shared/core/errors.ts';
import { type SealKey, sealKeySchema } from '../../../shared/wire/seal.ts';
import type { Console } from '../console.ts';
import { endpointOption, resolveEndpoint } from '../endpoint.ts';
import { OperatorApi } from '../operator-api.ts';
import { integer } from '../values.ts';
import { keysOf } from '../verify-statements.ts';
import { verifyVersions } from '../verify-versions.ts';

interface Options {
  readonly endpoint?: string;
  readonly version?: number;
  readonly all: boolean;
  readonly key?: string;
  readonly json: boolean;
}

const notes = `
Every version's record is signed with a key in KMS that nobody can take out, and names the record before. This
command verifies all signatures and the chain, and downloads the newest version (or --version N, or --all) to compare
its manifest and its model with what was signed, and the manifest with what its clients signed. The public key comes from the federation itself unless --key names a
copy that you kept:

  npx tributary model verify synthetic-1-1 --json | jq .key > federation-key.json
  npx tributary model verify synthetic-1-1 --all --key federation-key.json`;

export function addModelVerify(group: Command, console: Console): void {
  group
    .command('verify')
    .argument('<task>', "the task's id")
    .summary('verify that no stored version or record has been tampered with')
    .addOption(endpointOption())
    .option('--version <n>', 'download and compare this version', integer(0))
    .option('--all', 'download and compare every version', false)
    .option('--key <file>', "the federation's public key as a JSON Web Key, kept from an earlier time")
    .option('--json', 'print one JSON object', false)
    .addHelpText('after', notes)
    .action(async (task: string, options: Options) => {
      const api = new OperatorApi(await resolveEndpoint(options.endpoint, console.env));
      const key = options.key === undefined ? await api.sealKey(console.signal) : await readKey(options.key);
      const wanted = options.version ?? (await api.task(task, console.signal)).version;
      const versions = await verifyVersions(api, task, {
        key,
        clientKeys: keysOf(await api.clients(console.signal)),
        isWhole: (version) => options.all || version === wanted,
        onVersion: ({ version, verified, problems, unproved }) => {
          if (options.json) return;
          if (unproved.length > 0) console.out(`version ${version}: keys are gone of ${unproved.join(', ')}`);
          for (const problem of problems) console.out(`version ${version}: ${problem}`);
          if (problems.length === 0 && verified === 'whole')
            console.out(`version ${version}: record, manifest, model and the clients' statements stand`);
        },
        signal: console.signal,
      });
      if (options.version !== undefined && !versions.some(({ version }) => version === options.version)) {
        throw new FlError('version-unknown', `task "${task}" has no version ${options.version}`);
      }
      const wrong = versions.filter(({ problems }) => problems.length > 0);
      if (options.json) console.out(JSON.stringify({ task, key, verified: wrong.length === 0, versions }));
      else if (wrong.length === 0)
        console.out(`${versions.length} versions of ${task}: every record is signed and follows the one before`);
      if (wrong.length > 0) {
        throw new FlError('not-verified', `${wrong.length} of ${versions.length} versions of "${task}" do not stand`);
      }
    });
}

async function readKey(file: string): Promise<SealKey> {
  try {
    return sealKeySchema.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch (cause) {
    throw new FlError('key-malformed', `${file} is not a P-256 public key as a JSON Web Key`, { cause });
  }
}
