import { affineMoments, deviationOf, type Moments } from '../../statistics/moments.ts';
import type { FittedStep } from '../encoding.ts';
import type { Step } from '../pipeline.ts';
import { afterClip, afterFill, afterOwnValues, type Knowledge, type Known, withKnown } from './knowledge.ts';

interface Fit {
  readonly step: FittedStep;
  /** What is known of the columns after the step. */
  readonly known: Knowledge;
}

/** Fits a step from what is known; undefined if that is not enough. */
export function fitStep(step: Step, names: readonly string[], known: Knowledge): Fit | undefined {
  switch (step.kind) {
    case 'standardize':
      return standardize(names, known);
    case 'clip':
      return clip(step, names, known);
    case 'impute':
      switch (step.how) {
        case 'constant':
          return fill(names, known, () => step.value);
        case 'mean':
          return fill(names, known, ({ moments }) => moments?.mean);
        case 'median':
          return fill(names, known, ({ quantile }) => quantile?.(0.5));
        case 'nearest':
          return nearest(step.neighbours, names, known);
        case 'iterative':
          return iterative(step, names, known);
      }
  }
}

type OfKind<K extends Step['kind'], H = unknown> = Extract<Step, { kind: K } & H>;

function standardize(names: readonly string[], known: Knowledge): Fit | undefined {
  const all = momentsOfAll(names, known);
  if (!all) return undefined;
  const columns = all.map(({ name, moments }) => ({ name, mean: moments.mean, deviation: deviationOf(moments) }));
  const after = columns.map(({ name, mean, deviation }): [string, Known] => {
    const { moments, quantile, missing } = known.get(name) ?? {};
    const scaled = (value: number | undefined) => (value === undefined ? undefined : (value - mean) / deviation);
    return [
      name,
      {
        missing,
        ...(moments && { moments: affineMoments(moments, mean, 1 / deviation) }),
        ...(quantile && { quantile: (share: number) => scaled(quantile(share)) }),
      },
    ];
  });
  return { step: { kind: 'scale', columns }, known: withKnown(known, after) };
}

function clip(step: OfKind<'clip'>, names: readonly string[], known: Knowledge): Fit | undefined {
  const bounds = names.map((name) => ({ name, ...boundsOf(step, known.get(name) ?? {}) }));
  const columns = bounds.flatMap(({ name, low, high }) =>
    low === undefined || high === undefined ? [] : [{ name, low, high }],
  );
  if (columns.length < names.length) return undefined;
  const after = columns.map(({ name, low, high }): [string, Known] => [
    name,
    afterClip(known.get(name) ?? {}, low, high),
  ]);
  return { step: { kind: 'clip', columns }, known: withKnown(known, after) };
}

function boundsOf(step: OfKind<'clip'>, { moments, quantile }: Known): { low?: number; high?: number } {
  switch (step.by) {
    case 'bounds':
      return { low: step.low, high: step.high };
    case 'deviations': {
      if (!moments) return {};
      const reach = step.most * deviationOf(moments);
      return { low: moments.mean - reach, high: moments.mean + reach };
    }
    case 'quantiles':
      return { low: quantile?.(step.low), high: quantile?.(step.high) };
  }
}

function fill(names: readonly string[], known: Knowledge, by: (known: Known) => number | undefined): Fit | undefined {
  const columns = names.flatMap((name) => {
    const value = by(known.get(name) ?? {});
    return value === undefined ? [] : [{ name, value }];
  });
  if (columns.length < names.length) return undefined;
  const after = columns.map(({ name, value }): [string, Known] => [name, afterFill(known.get(name) ?? {}, value)]);
  return { step: { kind: 'fill', columns }, known: withKnown(known, after) };
}

function nearest(neighbours: number, names: readonly string[], known: Knowledge): Fit | undefined {
  const all = momentsOfAll(names, known);
  if (!all) return undefined;
  const columns = all.map(({ name, moments }) => ({ name, value: moments.mean }));
  return { step: { kind: 'fill-nearest', neighbours, columns }, known: filledIn(names, known) };
}

function iterative(
  { exchanges, ridge }: OfKind<'impute', { how: 'iterative' }>,
  names: readonly string[],
  known: Knowledge,
): Fit | undefined {
  const all = momentsOfAll(names, known);
  if (!all) return undefined;
  const columns = all.map(({ name, moments }) => ({
    name,
    mean: moments.mean,
    deviation: deviationOf(moments),
    incomplete: known.get(name)?.missing !== 0,
  }));
  const left = columns.some(({ incomplete }) => incomplete) ? exchanges : 0;
  return {
    step: { kind: 'fill-regression', ridge, left, columns, regressions: [] },
    known: filledIn(names, known),
  };
}

function filledIn(names: readonly string[], known: Knowledge): Knowledge {
  return withKnown(
    known,
    names.map((name): [string, Known] => [name, afterOwnValues(known.get(name) ?? {})]),
  );
}

function momentsOfAll(names: readonly string[], known: Knowledge) {
  const all = names.flatMap((name): { name: string; moments: Moments }[] => {
    const moments = known.get(name)?.moments;
    return moments ? [{ name, moments }] : [];
  });
  return all.length < names.length ? undefined : all;
}
