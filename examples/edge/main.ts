import process from 'node:process';
import { FlError } from '../../client/typescript/index.ts';
import { parseOptions } from './options.ts';
import { enrolDevice, type Log, run } from './run.ts';

const usage = `Takes part in a Tributary task with this device's own CSV file. One JSON object a line on standard output.

  node tributary-client.mjs run   --task ID --data FILE.csv [--key FILE] [--store DIR] [--updates N]
                                  [--only-when charging,idle,unmetered] [--between 22-6]
                                  [--endpoint URL --client NAME --code CODE]   enrols first, where there is no key yet
  node tributary-client.mjs enrol --endpoint URL --client NAME --code CODE [--key FILE]

Each option is also read from the environment: --only-when from TRIBUTARY_ONLY_WHEN.
Exit status: 0 when the task has ended or on SIGTERM, 1 for what may pass, 2 for what waiting does not cure.`;

/** Codes of an FlError that no restart cures; the unit does not restart after 2. */
const hopeless = /^(key|data|encoding|label|invitation)-|^(identity-refused|client-revoked|task-unknown)$/;

const log: Log = (line) => {
  process.stdout.write(`${JSON.stringify({ at: new Date().toISOString(), ...line })}\n`);
};

function statusOf(error: unknown): number {
  const isUsage = error instanceof RangeError || (error instanceof TypeError && 'code' in error);
  return isUsage || (error instanceof FlError && hopeless.test(error.code)) ? 2 : 1;
}

const stop = new AbortController();
// An update that is trained is on the disk already, and goes on its way after the next start.
for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, () => stop.abort(new Error(name)));

try {
  const options = parseOptions(process.argv.slice(2), process.env);
  if (options.verb === 'run') await run(options, log, stop.signal);
  else if (options.verb === 'enrol') await enrolDevice(options, log, stop.signal);
  else {
    process.stderr.write(`${usage}\n`);
    process.exitCode = 2;
  }
} catch (error) {
  if (!stop.signal.aborted) {
    const code = error instanceof FlError ? error.code : undefined;
    log({ kind: 'failed', code, message: error instanceof Error ? error.message : String(error) });
    process.exitCode = statusOf(error);
  }
}
