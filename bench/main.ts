interface Bench {
  readonly about: string;
  /** Takes so long that it runs only when it is asked for. */
  readonly long?: true;
  load(): Promise<(args: readonly string[]) => Promise<void>>;
}

/** `npm run bench -- [NAME…] [OPTIONS]`: each benchmark checks that both sides compute the same before it times them. */
const benches: Readonly<Record<string, Bench>> = {
  aggregation: {
    about: 'the aggregation kernels, against NumPy, PyTorch, BLAS and a C streaming read',
    load: async () => (await import('./aggregation.ts')).aggregationBench,
  },
  'order-statistics': {
    about: "median, trimmed mean and Bulyan's step, against NumPy",
    load: async () => (await import('./order-statistics.ts')).orderStatisticsBench,
  },
  training: {
    about: 'samples a second of the training graphs, against PyTorch',
    load: async () => (await import('./training.ts')).trainingBench,
  },
  round: {
    about: 'one round of 20 x 10M parameters through the local cloud, and 4 GB of updates in bounded memory',
    load: async () => (await import('./round.ts')).roundBench,
  },
  load: {
    about: 'tickets a second through the local API over 1 to 200 connections, and every state right after it',
    load: async () => (await import('./load.ts')).loadBench,
  },
  variants: {
    about: 'codecs, server optimizers and asynchronous methods on the same simulated federation',
    long: true,
    load: async () => (await import('./variants.ts')).variantsBench,
  },
  data: {
    about: 'what imputation, balancing, clipping and augmentation do for a model',
    load: async () => (await import('./data.ts')).dataBench,
  },
  edge: {
    about: 'peak memory of a client on a small device: the one file of examples/edge, and client run',
    load: async () => (await import('./edge.ts')).edgeBench,
  },
  scale: {
    about: 'rounds of a hundred to a million updates on a model of AWS',
    load: async () => (await import('./scale.ts')).scaleBench,
  },
  attacks: {
    about: 'every rule against every attack on MNIST; two hours, --quick takes minutes',
    long: true,
    load: async () => (await import('./attacks.ts')).attacksBench,
  },
};

const given = process.argv.slice(2);
const firstOption = given.findIndex((arg) => arg.startsWith('-'));
const asked = firstOption < 0 ? given : given.slice(0, firstOption);
const options = firstOption < 0 ? [] : given.slice(firstOption);
const unknown = asked.filter((name) => !Object.hasOwn(benches, name));
if (unknown.length > 0 || (asked.length === 0 && options.includes('--help'))) {
  const list = Object.entries(benches).map(([name, { about }]) => `  ${name.padEnd(18)}${about}`);
  console.error([...unknown.map((name) => `there is no benchmark "${name}"`), 'Benchmarks:', ...list].join('\n'));
  process.exit(2);
}
const usual = Object.keys(benches).filter((name) => !benches[name].long);
for (const name of asked.length > 0 ? asked : usual) {
  const run = await benches[name].load();
  await run(options);
}
