import { resolve } from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { updateFolderStore } from '../../../client/typescript/folder-store.ts';
import { onnxParticipant, TributaryClient } from '../../../client/typescript/index.ts';
import { keyFileStore, loadKeyFile } from '../../../client/typescript/key-file-store.ts';
import { linuxDevice } from '../../../client/typescript/linux-device.ts';
import type { ParticipationEvent } from '../../../client/typescript/participation.ts';
import { parseBetween, parseOnlyWhen, type SchedulePolicy, schedule } from '../../../client/typescript/schedule.ts';
import { nodeCompressors } from '../../../functions/compressors.ts';
import type { OnnxRuntime } from '../../../shared/onnx/runtime/runtime.ts';
import { type ClientSource, clientData } from '../client-data.ts';
import type { Console } from '../console.ts';
import { givenEndpointOption } from '../endpoint.ts';
import { bytesText } from '../format.ts';
import { datasets } from '../start/settings.ts';
import { decimal, integer } from '../values.ts';
import { parseTaskName } from './task-name-argument.ts';

interface ClientRunOptions extends ClientSource {
  readonly endpoint?: string;
  readonly task: string;
  readonly key: string;
  readonly updates?: number;
  readonly awaitOutcome: boolean;
  readonly store?: string;
  readonly onlyWhen?: SchedulePolicy;
  readonly between?: SchedulePolicy['between'];
  readonly json: boolean;
  readonly dataFile?: string;
}

const examples = `
A client needs no AWS credentials: it signs with its key, which \`client enrol\` made or its operator issued. It stops when the
task ends, after --updates, or at Ctrl-C.

Examples:
  npx tributary client run --key north.json --task hospitals --dataset csv --data-file north.csv
  npx tributary client run --key pi-3.json --task meters --dataset csv --data-file meters.csv --only-when idle,unmetered --between 22-6
  npx tributary client run --key phone-7.json --task digits --dataset mnist --data-dir DIR --index 7 --clients 100
  npx tributary client run --key .tributary/kept/keys/device-03.json --task synthetic-1-1 --index 3   # after start --keep`;

export function addClientRun(group: Command, console: Console): void {
  group
    .command('run')
    .summary('take part in a task as one client, local or deployed')
    .description("Trains one client's data for a task.")
    .requiredOption('--key <file>', 'key file: says who this client is, and the endpoint of its federation')
    .addOption(givenEndpointOption())
    .requiredOption('--task <id>', "the task's id", parseTaskName)
    .addOption(
      new Option('--dataset <name>', "where the client's examples come from").choices(datasets).default('synthetic'),
    )
    .option('--data-file <file>', "csv: this client's own file, encoded as the task says")
    .option(
      '--data-dir <dir>',
      'mnist: folder of the four IDX files; csv: folder of the silo files, where the task does not say',
    )
    .option('--label <column>', 'csv: name or position of the column to predict (default: the last)')
    .option('--silo <name>', "csv: which file of the folder is this client's (its name without .csv)")
    .option('--index <i>', 'all but csv: which of the clients this is, from 0', integer(0, 99_999), 0)
    .option('--clients <n>', 'all but csv: clients in all (default: as in start)', integer(1, 100_000))
    .option('--alpha <a>', 'all but csv: how unlike the clients are, as in start', decimal(0, 1_000))
    .option('--seed <n>', 'seed of data and split', integer(0, 0xffff_ffff), 1)
    .option('--updates <n>', 'end after this many updates (default: when the task ends)', integer(1))
    .option('--await-outcome', 'after each update, wait until it is aggregated or refused, and say so', false)
    .option('--store <dir>', 'folder where an unfinished update survives a crash (default: .tributary/clients/NAME)')
    .option(
      '--only-when <conditions>',
      'train and upload only then (Linux): a list of charging, idle, unmetered',
      argument(parseOnlyWhen),
    )
    .option('--between <hours>', 'begin to train only then, local time, such as 22-6', argument(parseBetween))
    .option('--json', 'print one JSON object at the end', false)
    .addHelpText('after', examples)
    .action((options: ClientRunOptions) => runClient(options, console));
}

async function runClient(options: ClientRunOptions, console: Console): Promise<void> {
  const { endpoint, key } = await loadKeyFile(options.key);
  // Loaded late: only this verb needs the native runtime.
  const ort = await import('onnxruntime-node');
  const name = key.client;
  const participant =
    options.dataFile === undefined
      ? await fromDataSet(ort, name, options, console)
      : await fromOwnFile(ort, name, options, console);
  const client = new TributaryClient({
    compressors: nodeCompressors,
    endpoint: options.endpoint ?? endpoint,
    identity: key,
    keys: keyFileStore(options.key, endpoint),
    store: updateFolderStore(resolve(options.store ?? `.tributary/clients/${name}`)),
  });
  const summary = await client.participate(options.task, {
    ...participant,
    maxUpdates: options.updates,
    awaitOutcome: options.awaitOutcome,
    schedule: scheduleOf(options),
    signal: console.signal,
    onEvent: (event) => {
      const line = eventLine(event);
      if (line) console.err(line);
    },
  });
  const { updates, examples: trained, reason } = summary;
  if (options.json) console.out(JSON.stringify({ client: name, ...summary }));
  else console.out(`${updates} updates of ${trained} examples stored: ${reason.replace('-', ' ')}`);
}

function scheduleOf({ onlyWhen, between }: ClientRunOptions) {
  return onlyWhen || between ? schedule(linuxDevice(), { ...onlyWhen, between }) : undefined;
}

/** A parser's RangeError as one line that names the option. */
function argument<T>(parse: (text: string) => T): (text: string) => T {
  return (text) => {
    try {
      return parse(text);
    } catch (error) {
      throw new InvalidArgumentError(error instanceof RangeError ? `${error.message}.` : String(error));
    }
  };
}

async function fromDataSet(ort: OnnxRuntime, name: string, options: ClientRunOptions, console: Console) {
  const { train, test } = await clientData(options, console.signal);
  console.err(sizesLine(name, train.n, test.n));
  return onnxParticipant({ ort, samples: train, test });
}

async function fromOwnFile(ort: OnnxRuntime, name: string, options: ClientRunOptions, console: Console) {
  const { ownFile } = await import('../own-file.ts');
  return ownFile(ort, options, console.signal, (train, test) => console.err(sizesLine(name, train, test)));
}

function sizesLine(name: string, train: number, test: number): string {
  return `client ${name}: ${train} examples to train on, ${test} to measure on`;
}

function eventLine(event: ParticipationEvent): string | undefined {
  switch (event.kind) {
    case 'waiting':
      return `waiting ${(event.ms / 1000).toFixed(1)} s: ${event.reason}`;
    case 'resumed':
      return `going on with the update of version ${event.baseVersion} that was left unfinished`;
    case 'downloaded':
      return `version ${event.baseVersion}: ${bytesText(event.bytes)} downloaded`;
    case 'trained': {
      const metrics = Object.entries(event.metrics).map(([name, value]) => `${name} ${value.toFixed(4)}`);
      return `trained on ${event.examples} examples: ${metrics.join(', ')}`;
    }
    case 'uploaded':
      return `${bytesText(event.bytes)} uploaded`;
    case 'unsaved':
      return `not kept on the disk: ${event.reason}`;
    case 'abandoned':
      return `no update: ${event.reason}`;
    case 'outcome':
      return `the update is ${event.state}${event.version === undefined ? '' : ` in version ${event.version}`}${event.reason ? `: ${event.reason}` : ''}`;
    case 'ticket':
      return undefined;
  }
}
