import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { parseTable, type Table } from '../../client/typescript/data/table/table.ts';
import { tableParticipant } from '../../client/typescript/data/table-participant.ts';
import { updateFolderStore } from '../../client/typescript/folder-store.ts';
import { enrol, FlError, TributaryClient } from '../../client/typescript/index.ts';
import { keyFileStore, loadKeyFile } from '../../client/typescript/key-file-store.ts';
import { linuxDevice } from '../../client/typescript/linux-device.ts';
import { schedule } from '../../client/typescript/schedule.ts';
import { needed, type Options } from './options.ts';
import { openRuntime } from './runtime.ts';

/** One line of the log: `kind` says what it is. */
export type Log = (line: Readonly<Record<string, unknown>> & { readonly kind: string }) => void;

/** Registers this device's key, with the operator's one-time code. */
export async function enrolDevice(options: Options, log: Log, signal: AbortSignal): Promise<void> {
  if (existsSync(options.key)) throw new FlError('key-exists', `${options.key} is there already; it may hold a key`);
  const [endpoint, code, client] = [needed(options, 'endpoint'), needed(options, 'code'), needed(options, 'client')];
  const { kid } = await enrol({ endpoint, code, client, keys: keyFileStore(options.key, endpoint), signal });
  log({ kind: 'enrolled', client, kid });
}

/** Takes part until the task ends; enrols first where there is a code and no key yet. */
export async function run(options: Options, log: Log, signal: AbortSignal): Promise<void> {
  const task = needed(options, 'task');
  const table = await readTable(needed(options, 'data'));
  if (options.code && !existsSync(options.key)) await enrolDevice(options, log, signal);
  const { endpoint, key } = await loadKeyFile(options.key);
  const { ort, name } = await openRuntime();
  log({ kind: 'started', client: key.client, task, rows: table.rows.length, runtime: name });
  const client = new TributaryClient({
    endpoint,
    identity: key,
    keys: keyFileStore(options.key, endpoint),
    store: updateFolderStore(options.store),
  });
  const summary = await client.participate(task, {
    ...tableParticipant({ ort, table }),
    schedule: schedule(linuxDevice(), options.policy),
    maxUpdates: options.updates,
    signal,
    onEvent: log,
  });
  log({ kind: 'ended', ...summary });
}

async function readTable(path: string): Promise<Table> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new FlError('data-missing', `${path}: ${cause instanceof Error ? cause.message : cause}`, { cause });
  });
  const table = parseTable(text, basename(path));
  if (!table || table.rows.length === 0) throw new FlError('data-missing', `${path} has no rows`);
  return table;
}
