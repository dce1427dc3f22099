import { join } from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { UsageError } from '../../local/cli/console.ts';
import { createTask } from '../../local/cli/create-task.ts';
import { resolveEndpoint } from '../../local/cli/endpoint.ts';
import { buildModel } from '../../local/cli/model-spec.ts';
import { OperatorApi } from '../../local/cli/operator-api.ts';
import { readTaskFile } from '../../local/cli/task-file.ts';
import { FlError } from '../../shared/core/errors.ts';
import { randomFrom } from '../../shared/core/random.ts';
import { encodeHeldOut } from '../../shared/wire/held-out.ts';
import { formatLink } from './link.ts';
import { startSite } from './site.ts';
import { heldOutDigits } from './worker/digits.ts';

const usage = `npx node examples/browser/serve.ts [--task NAME] [--endpoint URL] [--port N] [CLIENT...]

Serves the page on 127.0.0.1, invites the clients (browser-1 and browser-2 by default), and prints a link for each.
--task      the task to join; by default that of examples/browser/task.yaml, created if it is not there
--endpoint  the federation's API; by default the local cloud of \`npx tributary start --keep\` in this folder`;

async function serve(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      task: { type: 'string' },
      endpoint: { type: 'string' },
      port: { type: 'string', default: '0' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return console.log(usage);
  const endpoint = await resolveEndpoint(values.endpoint ?? process.env.TRIBUTARY_ENDPOINT, process.env);
  const api = new OperatorApi(endpoint);
  const task = values.task ?? (await demoTask(api));
  const { config } = await api.task(task);
  const clients = positionals.length > 0 ? positionals : ['browser-1', 'browser-2'];
  const { invitations } = await api.invite({ clients });
  const site = await startSite(Number(values.port));
  for (const { client, code } of invitations) {
    const { purpose } = config;
    console.log(`${client}\n  ${formatLink(site.url, { endpoint: endpoint.url, task, client, code, purpose })}`);
  }
  console.log('\nEach link works once, in one browser. Who contributed: npx tributary task show', task);
}

/** The example's own task. */
async function demoTask(api: OperatorApi): Promise<string> {
  const { config, model, choice } = await readTaskFile(join(import.meta.dirname, 'task.yaml'));
  const { task } = config;
  try {
    await api.task(task);
  } catch (error) {
    if (!(error instanceof FlError) || error.code !== 'task-unknown') throw error;
    const heldOut = encodeHeldOut(heldOutDigits(randomFrom('held out')));
    await createTask(api, config, await buildModel(model, 1, choice), { heldOut });
  }
  return task;
}

serve().catch((error: unknown) => {
  console.error(`error: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
});
