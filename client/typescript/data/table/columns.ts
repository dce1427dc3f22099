import { FlError } from '../../../../shared/core/errors.ts';
import type { Moments } from '../statistics/moments.ts';
import { type ColumnRule, featureNames, mostFeatures } from './encoding.ts';
import type { ColumnDeclaration, Pipeline } from './pipeline.ts';
import type { ColumnSummary, Summary } from './summary.ts';

const idName =
  /(^|[\s_.-])(id|uid|uuid|guid|key|code|number|no|nr|index|idx|serial|ssn|mrn)$|^(id|row|unnamed)\b|[a-z]I[dD]$/i;

/** Decides from the merged summary which columns are features, and of what kind. @throws {FlError} data-malformed if none is left */
export function columnRules(merged: Summary): { columns: ColumnRule[]; notes: string[] } {
  const { pipeline } = merged;
  const notes: string[] = [];
  const columns = merged.columns.flatMap((column, position) => {
    const declared = pipeline.columns.find(({ name }) => name === column.name);
    const reason = dropReason(column, { declared, unnamedFirst: !merged.named && position === 0 });
    if (reason !== undefined) {
      notes.push(`dropped column "${column.name}": ${reason}`);
      return [];
    }
    return [ruleOf(column, declared, pipeline, notes)];
  });
  const asked = pipeline.columns.filter(({ kind }) => kind === 'drop').map(({ name }) => name);
  notes.push(...asked.map((name) => `dropped column "${name}": as asked`));
  const features = columns.reduce((sum, rule) => sum + featureNames(rule).length, 0);
  if (features === 0)
    throw new FlError('data-malformed', `no usable feature column beside the label: ${notes.join('; ')}`);
  if (features > mostFeatures)
    throw new FlError('data-malformed', `${features} features, at most ${mostFeatures} are supported`);
  return { columns, notes };
}

interface Known {
  readonly declared: ColumnDeclaration | undefined;
  /** True for the first of columns that have no names. */
  readonly unnamedFirst: boolean;
}

function dropReason(column: ColumnSummary, { declared, unnamedFirst }: Known): string | undefined {
  const present = column.rows - column.missing;
  if (present === 0) return 'always missing';
  const numeric = numericOf(column, declared);
  if (numeric ? numeric.squares === 0 : isSameEverywhere(column)) return 'constant';
  if (!numeric && declared?.kind === 'numeric') return 'no silo tells its statistics';
  if (declared?.kind || declared?.categories) return undefined;
  const { uniqueness } = column;
  const share = uniqueness ? uniqueness.distinct / uniqueness.rows : 0;
  if (numeric) {
    const suspect = uniqueness?.counter || unnamedFirst || idName.test(column.name);
    return numeric.integers && share >= 0.9 && suspect
      ? `looks like an identifier (${percent(share)} distinct)`
      : undefined;
  }
  const shared = column.categories.reduce((sum, [, count]) => sum + count, 0);
  if (shared === 0 || (share > 0.5 && shared < Math.max(present / 2, 2 * column.categories.length))) {
    return `looks like an identifier or free text (${percent(share)} distinct)`;
  }
  return undefined;
}

function ruleOf(
  column: ColumnSummary,
  declared: ColumnDeclaration | undefined,
  pipeline: Pipeline,
  notes: string[],
): ColumnRule {
  const { name } = column;
  const missing = pipeline.missingIndicator && column.missing > 0;
  const present = column.rows - column.missing;
  const numeric = numericOf(column, declared);
  if (numeric) {
    const strange = present - numeric.count;
    if (strange > 0) {
      const what = declared?.range ? 'no numbers in range' : 'no numbers';
      notes.push(`column "${name}": ${strange} of ${present} values are ${what}, taken as missing`);
    }
    return { kind: 'numeric', name, missing };
  }
  const known = column.categories.filter(([, , silos]) => silos >= pipeline.disclosure.minimumSilos);
  const counts = new Map(known.map(([value, count]) => [value, count]));
  const categories = declared?.categories ?? [...counts.keys()].slice(0, pipeline.maximumCategories);
  const covered = categories.reduce((sum, category) => sum + (counts.get(category) ?? 0), 0);
  if (known.length > categories.length) {
    notes.push(`column "${name}": the ${categories.length} most frequent values are features, the rest is "other"`);
  }
  return { kind: 'categorical', name, categories: [...categories], other: covered < present, missing };
}

/** The moments of a column that is declared numeric, or is so in at least 95% of its present cells. */
export function numericOf(
  { numeric, rows, missing }: ColumnSummary,
  declared: ColumnDeclaration | undefined,
): Moments | undefined {
  if (declared?.kind === 'categorical' || declared?.categories) return undefined;
  if (declared?.kind === 'numeric') return numeric;
  return numeric && numeric.count >= 0.95 * (rows - missing) ? numeric : undefined;
}

function isSameEverywhere({ categories, rows, missing }: ColumnSummary): boolean {
  return categories.length === 1 && categories[0][1] === rows - missing;
}

function percent(share: number): string {
  return `${Math.round(100 * share)}%`;
}
