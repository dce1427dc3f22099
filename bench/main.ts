import { aggregationBench } from './aggregation.ts';
import { trainingBench } from './training.ts';

/** `npm run bench -- [NAME…]`: each benchmark checks that both sides compute the same before it times them. */
const benches: Readonly<Record<string, { readonly about: string; run(): Promise<void> }>> = {
  aggregation: { about: 'the weighted mean over K updates of P parameters, against NumPy', run: aggregationBench },
  training: { about: 'samples a second of the training graphs, against PyTorch', run: trainingBench },
};

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !(name in benches));
if (unknown.length > 0 || asked.includes('--help')) {
  const list = Object.entries(benches).map(([name, { about }]) => `  ${name.padEnd(14)}${about}`);
  console.error([...unknown.map((name) => `there is no benchmark "${name}"`), 'Benchmarks:', ...list].join('\n'));
  process.exit(2);
}
for (const name of asked.length > 0 ? asked : Object.keys(benches)) await benches[name].run();
