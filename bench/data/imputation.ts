import { encode } from '../../client/typescript/data/table/encode.ts';
import { numericNames } from '../../client/typescript/data/table/encoding.ts';
import { fitPipeline } from '../../client/typescript/data/table/fit.ts';
import { type PipelineInput, parsePipeline } from '../../client/typescript/data/table/pipeline.ts';
import type { Table } from '../../client/typescript/data/table/table.ts';
import { randomFrom } from '../../shared/core/random.ts';
import { dealt, pima, wisconsin } from './tables.ts';
import { meanText } from './train-alone.ts';

const ways: readonly { readonly name: string; readonly step: NonNullable<PipelineInput['steps']>[number] }[] = [
  { name: 'mean', step: { kind: 'impute', how: 'mean' } },
  { name: 'median', step: { kind: 'impute', how: 'median' } },
  { name: 'nearest, 5', step: { kind: 'impute', how: 'nearest' } },
  { name: 'iterative, 1 exchange', step: { kind: 'impute', how: 'iterative', exchanges: 1 } },
  { name: 'iterative, 5 exchanges', step: { kind: 'impute', how: 'iterative' } },
  { name: 'iterative, 20 exchanges', step: { kind: 'impute', how: 'iterative', exchanges: 20 } },
];

/** Root mean squared error of what is filled in, in standard deviations, where a fifth of all cells was knocked out; four silos. */
export function imputationErrors(seeds: number): string[][] {
  const complete = pima();
  const known = complete.rows.filter((row) => row.slice(1, 6).every((cell) => cell !== '0'));
  const sets = [
    { ...complete, rows: known },
    { ...wisconsin(), rows: wisconsin().rows.filter((row) => row.every((cell) => cell !== '')) },
  ];
  return ways.map(({ name, step }) => [
    name,
    ...sets.map((table) => meanText(Array.from({ length: seeds }, (_, seed) => errorOf(table, step, seed)))),
  ]);
}

function errorOf(table: Table, step: NonNullable<PipelineInput['steps']>[number], seed: number): number {
  const random = randomFrom(`gaps/${seed}`);
  const whole = dealt(table, [0.4, 0.3, 0.2, 0.1], String(seed));
  const gaps = whole.map(({ rows }) => rows.map((row) => row.map((_, c) => c < row.length - 1 && random.next() < 0.2)));
  const holed = whole.map((silo, k) => ({
    ...silo,
    rows: silo.rows.map((row, i) => row.map((cell, c) => (gaps[k][i][c] ? '' : cell))),
  }));
  // Both in the units of the complete table.
  const columns = table.columns.slice(0, -1).map((name) => ({ name, kind: 'numeric' as const }));
  const truth = fitPipeline(
    whole.map((silo) => ({ table: silo })),
    parsePipeline({ label: 'y', columns, steps: [{ kind: 'standardize' }], missingIndicator: false }),
  );
  const pipeline = parsePipeline({
    label: 'y',
    columns,
    steps: [{ kind: 'standardize' }, step],
    missingIndicator: false,
  });
  const filling = fitPipeline(
    holed.map((silo) => ({ table: silo })),
    pipeline,
  );
  const [exact, found] = [truth.steps[0], filling.steps[0]];
  if (exact.kind !== 'scale' || found.kind !== 'scale') throw new Error('the first step standardises');
  const width = numericNames(truth).length;
  let sum = 0;
  let count = 0;
  for (const [k, silo] of whole.entries()) {
    const [a, b] = [encode(silo, truth).x, encode(holed[k], filling).x];
    for (let i = 0; i < a.length; i++) {
      const c = i % width;
      if (!gaps[k][Math.floor(i / width)][c]) continue;
      const value = b[i] * found.columns[c].deviation + found.columns[c].mean;
      sum += (a[i] - (value - exact.columns[c].mean) / exact.columns[c].deviation) ** 2;
      count++;
    }
  }
  return Math.sqrt(sum / count);
}
