import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { synthesize } from '../../local/cli/synthesize.ts';
import { runCampaign } from './campaign.ts';

const usage = `node test/chaos/kill-campaign.ts [--rounds 200] [--seed 1] [--clients 40] [--concurrency 12] [--buffer 8]
  [--functions-per-round 1.5] [--clouds ROUNDS/8] [--json]`;

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '200' },
    seed: { type: 'string', default: '1' },
    clients: { type: 'string', default: '40' },
    concurrency: { type: 'string', default: '12' },
    buffer: { type: 'string', default: '8' },
    'functions-per-round': { type: 'string', default: '1.5' },
    clouds: { type: 'string' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) console.log(usage);
else await main();

async function main(): Promise<void> {
  const log = (line: string) => console.error(line);
  const folder = mkdtempSync(join(tmpdir(), 'tributary-chaos-'));
  const assembly = join(folder, 'assembly');
  log('synthesizing the stack');
  await synthesize(assembly);
  const rounds = Number(values.rounds);
  const result = await runCampaign({
    rounds,
    seed: Number(values.seed),
    clients: Number(values.clients),
    concurrency: Number(values.concurrency),
    buffer: Number(values.buffer),
    functionsPerRound: Number(values['functions-per-round']),
    clouds: values.clouds === undefined ? Math.ceil(rounds / 8) : Number(values.clouds),
    assembly,
    folder,
    log,
  });
  if (values.json) console.log(JSON.stringify(result));
  else for (const [name, value] of Object.entries(result)) console.log(`${name.padEnd(12)} ${JSON.stringify(value)}`);
  if (result.violations.length === 0) return;
  log(`the cloud's state and logs are left in ${folder}`);
  process.exitCode = 1;
}
