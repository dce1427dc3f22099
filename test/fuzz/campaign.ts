import { parseArgs } from 'node:util';
import { logger } from '../../functions/logger.ts';
import { attack } from './run.ts';
import { attempt } from './target.ts';
import { targets } from './targets/all.ts';

const usage = `node test/fuzz/campaign.ts [--runs 10000] [--seed 1] [--only TARGET]   runs for each target
node test/fuzz/campaign.ts --only TARGET --seed SEED --path PATH           one case again
node test/fuzz/campaign.ts --only TARGET --input BASE64                    one input`;

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '10000' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string' },
    path: { type: 'string' },
    input: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

logger.setLogLevel('SILENT');
const chosen = targets.filter(({ name }) => values.only === undefined || name === values.only);
if (values.help || chosen.length === 0) console.log(usage);
else if (values.input !== undefined) {
  const bytes = new Uint8Array(Buffer.from(values.input, 'base64'));
  for (const target of chosen) console.log(`${target.name}: ${await attempt(target, bytes)}`);
} else {
  for (const target of chosen) await report(target);
}

/** Attacks one target with the seed, and says how to see again what it does not withstand. */
async function report(target: (typeof targets)[number]): Promise<void> {
  const options = { seed: Number(values.seed), runs: Number(values.runs), path: values.path };
  const startMs = performance.now();
  const { accepted, refused, slowestMs, failure } = await attack(target, options);
  const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
  const figures = `${accepted + refused} inputs, ${accepted} accepted, slowest ${slowestMs.toFixed(0)} ms, ${seconds} s`;
  console.log(`${target.name.padEnd(28)} ${failure ? 'FAILED' : 'ok'}  ${figures}`);
  if (!failure) return;
  process.exitCode = 1;
  console.log(failure.why);
  console.log(`again: node test/fuzz/campaign.ts --only ${target.name} --seed ${values.seed} --path ${failure.path}`);
  console.log(
    `or:    node test/fuzz/campaign.ts --only ${target.name} --input ${Buffer.from(failure.input).toString('base64')}`,
  );
}
