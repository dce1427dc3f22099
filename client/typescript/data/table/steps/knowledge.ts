import { type Moments, mergeMoments, repeated } from '../../statistics/moments.ts';
import { quantile } from '../../statistics/quantile-sketch.ts';
import type { Summary } from '../summary.ts';

/** What is known of a column at one point of the pipeline; absent: another exchange has to tell. */
export interface Known {
  readonly moments?: Moments;
  readonly missing?: number;
  readonly quantile?: (share: number) => number | undefined;
}

export type Knowledge = ReadonlyMap<string, Known>;

export const nothingKnown: Knowledge = new Map();

export function knowledgeOf(merged: Summary, names: readonly string[]): Knowledge {
  const columns = new Map(merged.columns.map((column) => [column.name, column]));
  return new Map(
    names.flatMap((name): [string, Known][] => {
      const column = columns.get(name);
      if (!column) return [];
      const { numeric, quantiles, rows } = column;
      return [
        [
          name,
          {
            ...(numeric && { moments: numeric }),
            // Cells that are no numbers are missing too.
            missing: rows - (numeric?.count ?? 0),
            ...(quantiles && { quantile: (share: number) => quantile(quantiles, share) }),
          },
        ],
      ];
    }),
  );
}

/** The knowledge with that of some columns replaced. */
export function withKnown(known: Knowledge, changes: readonly (readonly [string, Known])[]): Knowledge {
  return new Map([...known, ...changes]);
}

/** After `low <= x <= high`: quantiles are cut with the values, moments stay only where nothing was cut. */
export function afterClip({ moments, missing, quantile }: Known, low: number, high: number): Known {
  const untouched =
    moments?.min !== undefined && moments.max !== undefined && moments.min >= low && moments.max <= high;
  return {
    missing,
    ...(untouched && { moments }),
    ...(quantile && {
      quantile: (share) => {
        const value = quantile(share);
        return value === undefined ? undefined : Math.min(high, Math.max(low, value));
      },
    }),
  };
}

/** After one value was filled in for all that miss. */
export function afterFill({ moments, missing = 0, quantile }: Known, value: number): Known {
  if (missing === 0) return { moments, missing, quantile };
  return { ...(moments && { moments: mergeMoments(moments, repeated(value, missing)) }), missing: 0 };
}

/** After values that differ from row to row were filled in. */
export function afterOwnValues(known: Known): Known {
  return known.missing === 0 ? known : { missing: 0 };
}
