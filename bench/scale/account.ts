/**
 * The account that the model supposes: limits of facts.md and the public quota pages, us-east-1, November 2026, and latencies
 * as they are usually seen. The latencies are assumptions; `bench/MEASURED.md` says which results hang on them.
 */
export const account = {
  dynamo: {
    /** Write and read units a second of one partition key. */
    writesPerKey: 1_000,
    readsPerKey: 3_000,
    /** Of a whole on-demand table: the default quota. */
    writesPerTable: 40_000,
    readsPerTable: 40_000,
    getSeconds: 0.005,
    putSeconds: 0.005,
    /** A page of a query: at most 1 MiB. */
    pageSeconds: 0.015,
    pageBytes: 2 ** 20,
    readUnitBytes: 4_096,
    /** A transaction holds its items so long; another on one of them is cancelled and has to come again. */
    transactSeconds: 0.015,
    transactItems: 100,
  },
  s3: { putsPerPrefix: 3_500, getsPerPrefix: 5_500, requestSeconds: 0.03, listPartsPage: 1_000, deleteBatch: 1_000 },
  lambda: {
    concurrency: 1_000,
    /** Functions that one function may add, at once and every ten seconds. */
    rampPerTenSeconds: 1_000,
    coldStartSeconds: 0.4,
    /** What an invocation costs before it does anything. */
    overheadSeconds: 0.005,
    mbPerVcpu: 1_769,
    /** Bytes a second that a function reads when its first burst is spent. */
    steadyBytesPerSecond: 75 * 2 ** 20,
    burstBytesPerSecond: 370 * 2 ** 20,
    burstBytes: 370 * 2 ** 20,
  },
  states: { transitionSeconds: 0.05, expressMb: 64, expressSeconds: 300, distributedChildrenPerSecond: 1_000 },
  /** What one client's network does; clients wait for nobody else. */
  client: { bytesPerSecond: 6.25e6 },
  cpu: {
    /** Update bytes a second that admission checks on one vCPU, and JSON that a step parses and checks: measured, MEASURED.md. */
    admitBytesPerSecond: 200e6,
    manifestBytesPerSecond: 40e6,
  },
} as const;

/** What `infra/settings.ts` and the code leave to whoever deploys, and what another design would change. */
export interface Scenario {
  readonly name: string;
  readonly about: string;
  readonly apiRate: number;
  readonly apiBurst: number;
  readonly admitConcurrency: number;
  /** Keys that a task's counts, open tickets and buffer are spread over, each; 1 is the product. */
  readonly shards: number;
  /** Whether a function reads the task anew in each call; true is the product. */
  readonly readsAnew: boolean;
  /** Whether every cell reads the whole manifest; true is the product. */
  readonly wholeManifest: boolean;
  /** HEADs that freeze keeps under way, and deletions and transactions that settle does. */
  readonly freezeAtOnce: number;
  readonly settleAtOnce: number;
}

const product = { shards: 1, readsAnew: true, wholeManifest: true, freezeAtOnce: 50, settleAtOnce: 1 } as const;

export const scenarios = [
  {
    name: 'as deployed',
    about: "the template's own settings: 500 API requests a second, ten admissions at once",
    apiRate: 500,
    apiBurst: 1_000,
    admitConcurrency: 10,
    ...product,
  },
  {
    name: 'settings raised',
    about: 'the same code: 10,000 API requests a second, 900 admissions at once',
    apiRate: 10_000,
    apiBurst: 5_000,
    admitConcurrency: 900,
    ...product,
  },
  {
    name: 'design lifted',
    about:
      'and counts, tickets and buffer on 64 keys each, the task kept in memory, a manifest in pieces, a wider settle',
    apiRate: 10_000,
    apiBurst: 5_000,
    admitConcurrency: 900,
    shards: 64,
    readsAnew: false,
    wholeManifest: false,
    freezeAtOnce: 500,
    settleAtOnce: 50,
  },
] as const satisfies readonly Scenario[];
