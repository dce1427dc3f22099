import { type Random, randomFrom } from '../../shared/core/random.ts';
import type { CodecInput } from '../../shared/wire/codec-config.ts';
import { type TaskConfigInput, taskConfigSchema } from '../../shared/wire/task-config.ts';
import { crowded, drawFaultRates, type FaultRates, noFaults, slow } from './world/faults.ts';
import type { PlannedLayout } from './world/planned-layout.ts';

/** Everything that a seed decides before the first action. */
export interface Scenario {
  readonly seed: string;
  readonly config: TaskConfigInput;
  /** Names and shapes of the model's tensors. */
  readonly tensors: readonly { readonly name: string; readonly shape: readonly number[] }[];
  readonly parameters: number;
  readonly layout?: PlannedLayout;
  readonly rates: FaultRates;
  readonly chunkBytes: number;
  /** Where the evaluation's loss is least. */
  readonly target: number;
  readonly clients: readonly ClientPlan[];
  readonly operator: OperatorPlan;
  /** How long faults go on, and whether clients still come once they have stopped. */
  readonly faultsMs: number;
  readonly isBusyAfter: boolean;
}

export interface ClientPlan {
  readonly name: string;
  readonly startMs: number;
  readonly contributions: number;
  /** The most time that it trains for. */
  readonly trainMs: number;
  /** Chances, each time: goes away, asks for an upload twice, uploads late, uploads again, sends rubbish. */
  readonly dropOut: number;
  readonly late: number;
  readonly again: number;
  readonly rubbish: number;
  readonly codecs: readonly CodecInput[];
}

export interface OperatorPlan {
  readonly pauses: number;
  readonly rollbacks: number;
  readonly stops: number;
  readonly deletions: number;
  readonly restarts: number;
}

export const minute = 60_000;

export function drawScenario(seed: number | string): Scenario {
  const random = randomFrom(`simulation/${seed}`);
  const pick = <Item>(items: readonly Item[]) => items[random.below(items.length)];
  const between = (low: number, high: number) => low + random.below(high - low + 1);
  const chance = (p: number) => random.next() < p;

  const mode = chance(0.25) ? 'sync' : 'async';
  const method = mode === 'async' ? pick(methods) : methods[0];
  const rules = method.kind === 'fedbuff' ? pick(ruleSets) : [];
  const least = leastOf(rules);
  const buffer = method.kind === 'fedasync' ? 1 : between(least, 6);
  const minimum = between(least, buffer);
  const isCoordinateWise = rules.some(({ kind }) => kind === 'median');
  const clientCount = between(Math.max(2, mode === 'sync' ? buffer : 2), 8);
  const tensors = pick(layouts);
  const parameters = tensors.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);

  const config: TaskConfigInput = {
    task: 'sim',
    round: {
      mode,
      buffer,
      minimum,
      deadlineMs: pick([1_000, 30_000, 2 * minute, 10 * minute]),
      maxStaleness: mode === 'sync' ? 0 : pick([0, 1, 3, 20]),
    },
    staleness: pick([
      { kind: 'constant' as const },
      { kind: 'polynomial' as const, exponent: 0.5 },
      { kind: 'hinge' as const, a: 2, b: 1 },
      { kind: 'exponential' as const, rate: 0.3 },
    ]),
    weighting: chance(0.8) ? 'examples' : 'uniform',
    method,
    aggregation: { rules },
    serverOptimizer: chance(0.5) ? { kind: 'sgd', learningRate: pick([1, 0.5]) } : pick(optimizers),
    codecs: {
      upload: chance(0.6) ? { kind: 'float32' } : pick(codecs),
      ...(chance(0.25) && { download: pick(downloads) }),
    },
    selection: {
      concurrency: mode === 'sync' ? buffer + between(0, 3) : between(1, 8),
      ticketLifetimeMs: pick([5_000, minute, 15 * minute]),
    },
    stop: { ...(chance(0.2) && { rounds: between(1, 4) }), ...(chance(0.15) && { targetAccuracy: 0.55 }) },
  };
  const { upload } = taskConfigSchema.parse(config).codecs;
  const isMixed = chance(0.3);
  const clients = Array.from(
    { length: clientCount },
    (_, i): ClientPlan => ({
      name: `client-${i}`,
      startMs: random.next() * 5 * minute * random.next(),
      contributions: between(1, 3),
      trainMs: 20_000,
      dropOut: chance(0.3) ? 0.3 : 0.02,
      late: chance(0.3) ? 0.3 : 0.02,
      again: chance(0.3) ? 0.4 : 0,
      rubbish: chance(0.15) ? 0.4 : 0,
      codecs: isMixed ? [upload, ...codecs] : [upload],
    }),
  );
  const isCalm = chance(0.05);
  const focus = focusOf(random, config);
  const often = (p: number, most: number) => (!isCalm && chance(p) ? between(1, most) : 0);
  return {
    seed: String(seed),
    config: focus.config ?? config,
    tensors,
    parameters,
    layout: chance(0.7) ? drawLayout(random, parameters, isCoordinateWise) : undefined,
    rates: focus.rates ?? (isCalm ? noFaults : drawFaultRates(random)),
    chunkBytes: pick([7, 64, 1_000]),
    target: pick([0, 0.1]),
    clients,
    operator: {
      pauses: often(0.2, 2),
      rollbacks: often(0.2, 2),
      stops: often(0.2, 2),
      deletions: focus.deletions ?? often(0.3, 4),
      restarts: often(0.2, 3),
    },
    faultsMs: between(5, 40) * minute,
    isBusyAfter: chance(0.5),
  };
}

/** What rarely meets by chance: some runs are about it. */
function focusOf(
  random: Random,
  config: TaskConfigInput,
): Partial<Pick<Scenario, 'config' | 'rates'>> & { deletions?: number } {
  const focus = random.fork('focus');
  const kind = focus.next();
  // Updates vanish while several executions look for them.
  if (kind < 0.06) return { rates: crowded, deletions: 4 + focus.below(9) };
  // The task reaches its accuracy while the next round is under way.
  if (kind < 0.12) {
    const round = { ...config.round, deadlineMs: 1_000 };
    return { rates: slow, config: { ...config, round, stop: { targetAccuracy: 0.5 + 0.1 * focus.next() } } };
  }
  return {};
}

const methods = [
  { kind: 'fedbuff' },
  { kind: 'fedbuff' },
  { kind: 'fedbuff' },
  { kind: 'fedbuff', delayThreshold: 1 },
  { kind: 'fedasync', mixing: 0.6 },
  { kind: 'ca2fl' },
  { kind: 'ace' },
] as const;

type Rules = NonNullable<NonNullable<TaskConfigInput['aggregation']>['rules']>;

const ruleSets: readonly Rules[] = [
  [],
  [],
  [],
  [{ kind: 'median' }],
  [{ kind: 'krum', attackers: { count: 0 } }],
  [{ kind: 'zeno', suspects: 1 }],
];

/** The fewest updates that the rules are defined for. */
function leastOf([rule]: Rules): number {
  return rule?.kind === 'krum' ? 3 : rule?.kind === 'zeno' ? 2 : 1;
}

const optimizers = [
  { kind: 'sgd', learningRate: 1, momentum: 0.9 },
  { kind: 'fed-adagrad' },
  { kind: 'fed-adam' },
  { kind: 'fed-yogi' },
  { kind: 'fadas', delayThreshold: 1 },
] as const;

const codecs: readonly CodecInput[] = [
  { kind: 'float32', compress: 'deflate' },
  { kind: 'fp16' },
  { kind: 'bf16', compress: 'deflate' },
  { kind: 'int8', block: 32 },
  { kind: 'top-k', fraction: 0.5 },
];

const downloads: readonly CodecInput[] = [
  { kind: 'fp16' },
  { kind: 'int8', block: 32 },
  { kind: 'bf16', compress: 'deflate' },
];

const layouts = [
  [{ name: 'w', shape: [3] }],
  [
    { name: 'a', shape: [2, 3] },
    { name: 'b', shape: [5] },
  ],
  [
    { name: 'bias', shape: [4] },
    { name: 'weight', shape: [5, 8] },
  ],
] as const;

function drawLayout(random: Random, parameters: number, isCoordinateWise: boolean): PlannedLayout {
  const tiles = 1 + random.below(Math.min(3, parameters));
  const cuts = new Set([parameters]);
  while (cuts.size < tiles) cuts.add(1 + random.below(parameters - 1));
  const levels = [[1], [2, 1], [3, 2, 1]] as const;
  return {
    tileEnds: [...cuts].sort((a, b) => a - b),
    levels: isCoordinateWise ? [1] : levels[random.below(levels.length)],
  };
}
