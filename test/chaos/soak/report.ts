import type { Panel } from './chart.ts';
import type { Sample } from './sample.ts';
import { median, trendOf, verdictOf } from './trend.ts';

export type TimedSample = Sample & { readonly minutes: number; readonly updates: number; readonly version: number };

/** What should be level after the warm-up, whatever the number of updates. */
const level = /^(rssMb|anonMb|heapMb|queue)\.|^(processes|resources|openFiles)$/;
/** Until caches, compiled code and pools have their size. */
const warmUpShare = 1 / 3;
/** V8 grows its young generation in steps for minutes, and SQS holds what was received for seven. */
const leastWarmUpMinutes = 10;

export interface Findings {
  readonly minutes: number;
  readonly updates: number;
  readonly versions: number;
  /** False where the warm-up was too short for a verdict. */
  readonly conclusive: boolean;
  /** Columns that should be level and are not. */
  readonly grows: readonly string[];
  readonly trends: Readonly<
    Record<string, { verdict: string; median: number; perHour: number; low: number; high: number }>
  >;
  /** What a thousand updates leave: items, objects, megabytes on disk. */
  readonly perThousandUpdates: Readonly<Record<string, number>>;
  /** Items of it that no time to live takes. */
  readonly keptPerThousandUpdates: Readonly<Record<string, number>>;
  readonly lines: readonly string[];
}

/** @param aged items by kind when all that has a time to live is gone */
export function findings(samples: readonly TimedSample[], aged: Sample): Findings {
  const last = samples[samples.length - 1];
  const warm = samples.filter(({ minutes }) => minutes >= last.minutes * warmUpShare);
  const trends: Record<string, Findings['trends'][string]> = {};
  for (const column of columnsOf(samples)) {
    const points = pointsOf(warm, column).map(({ x, y }) => ({ x: x / 60, y }));
    if (!level.test(column) || points.length < 4) continue;
    const { slope, low, high } = trendOf(points);
    const middle = median(points.map(({ y }) => y));
    trends[column] = { verdict: verdictOf(points), median: middle, perHour: slope, low, high };
  }
  const perThousandUpdates: Record<string, number> = {};
  for (const column of columnsOf(samples)) {
    const deep = samples.filter((each) => Object.hasOwn(each, column));
    const [first, final] = [deep[0], deep[deep.length - 1]];
    if (!/^(items|objects|diskMb)\./.test(column) || final.updates === first.updates) continue;
    perThousandUpdates[column] = (1000 * (final[column] - first[column])) / (final.updates - first.updates);
  }
  const start = samples.find((each) => Object.keys(each).some((column) => column.startsWith('items.')));
  const keptPerThousandUpdates: Record<string, number> = {};
  for (const column of Object.keys(aged)) {
    const more = aged[column] - (start?.[column] ?? 0);
    if (more > 0 && last.updates > 0) keptPerThousandUpdates[column] = (1000 * more) / last.updates;
  }
  // The tables on disk are mapped, and grow; the system takes such pages back when it wants.
  const judged = ([column]: readonly [string, unknown]) => column !== 'rssMb.cloud' || !trends['anonMb.cloud'];
  const grows = Object.entries(trends)
    .filter(judged)
    .flatMap(([column, { verdict }]) => (verdict === 'grows' ? [column] : []));
  const conclusive = last.minutes * warmUpShare >= leastWarmUpMinutes;
  return {
    conclusive,
    minutes: last.minutes,
    updates: last.updates,
    versions: last.version,
    grows,
    trends,
    perThousandUpdates,
    keptPerThousandUpdates,
    lines: [
      `${last.minutes.toFixed(1)} minutes, ${last.updates} updates, ${last.version} versions; trends after the first third, a 95% interval`,
      ...Object.entries(trends).map(
        ([column, { verdict, median: middle, perHour, low, high }]) =>
          `${verdict.padEnd(8)} ${column.padEnd(26)} ${middle.toFixed(1)}, ${signed(perHour)} an hour (${signed(low)} to ${signed(high)})`,
      ),
      ...(conclusive
        ? []
        : [`a warm-up of less than ${leastWarmUpMinutes} minutes: what grows may still be warming up`]),
      'left by a thousand updates:',
      ...Object.entries(perThousandUpdates).map(([column, each]) => `  ${column.padEnd(26)} ${each.toFixed(1)}`),
      'and when all that has a time to live is gone:',
      ...Object.entries(keptPerThousandUpdates).map(([column, each]) => `  ${column.padEnd(26)} ${each.toFixed(1)}`),
    ],
  };
}

export function toCsv(samples: readonly TimedSample[]): string {
  const columns = columnsOf(samples);
  const rows = samples.map((each) => columns.map((column) => round(each[column])).join(','));
  return `${[columns.join(','), ...rows].join('\n')}\n`;
}

export function panelsOf(samples: readonly TimedSample[]): readonly Panel[] {
  const panel = (title: string, columns: readonly string[]): Panel => ({
    title,
    series: columns
      .map((name) => ({ name, points: pointsOf(samples, name) }))
      .filter(({ points }) => points.length > 0),
  });
  const items = columnsOf(samples).filter((column) => /^(items|objects)\./.test(column));
  return [
    panel('Resident memory, MB', ['rssMb.cloud', 'anonMb.cloud', 'heapMb.cloud', 'rssMb.functions']),
    panel('Largest process of a function, MB', [
      'rssMb.admit-update',
      'rssMb.freeze',
      'rssMb.aggregate',
      'rssMb.settle',
    ]),
    panel('Handles and messages', ['resources', 'openFiles', 'processes', 'queue.arrivals']),
    panel('Items and objects', items),
  ];
}

function columnsOf(samples: readonly TimedSample[]): string[] {
  return [...new Set(samples.flatMap((each) => Object.keys(each)))];
}

const pointsOf = (samples: readonly TimedSample[], column: string) =>
  samples.flatMap((each) => (Object.hasOwn(each, column) ? [{ x: each.minutes, y: each[column] }] : []));
const round = (value: number | undefined) => (value === undefined ? '' : String(Math.round(value * 100) / 100));
const signed = (value: number) => `${value < 0 ? '' : '+'}${value.toFixed(1)}`;
