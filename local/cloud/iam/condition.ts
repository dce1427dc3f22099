import type { RequestContext } from '../service.ts';
import { matchesArn, matchesGlob } from './glob.ts';

/** One `operator: {key: values}` entry of a Condition block. All entries of a block must hold. */
export interface Condition {
  readonly comparison: Comparison;
  readonly quantifier: 'any-value' | 'all-values' | 'single';
  readonly ifExists: boolean;
  /** Lower case: IAM compares condition keys without regard to case. */
  readonly key: string;
  readonly values: readonly string[];
}

interface Comparison {
  readonly matches: (wanted: string, actual: string) => boolean;
  readonly negated: boolean;
  /** `Null` asks whether the key is there, not what it holds. */
  readonly presence: boolean;
}

const same = (wanted: string, actual: string) => wanted === actual;
const sameIgnoringCase = (wanted: string, actual: string) => wanted.toLowerCase() === actual.toLowerCase();
const positive = (matches: Comparison['matches']): Comparison => ({ matches, negated: false, presence: false });
const negative = (matches: Comparison['matches']): Comparison => ({ matches, negated: true, presence: false });

const comparisons: Readonly<Record<string, Comparison>> = {
  StringEquals: positive(same),
  StringNotEquals: negative(same),
  StringEqualsIgnoreCase: positive(sameIgnoringCase),
  StringNotEqualsIgnoreCase: negative(sameIgnoringCase),
  StringLike: positive(matchesGlob),
  StringNotLike: negative(matchesGlob),
  ArnEquals: positive(matchesArn),
  ArnLike: positive(matchesArn),
  ArnNotEquals: negative(matchesArn),
  ArnNotLike: negative(matchesArn),
  Bool: positive(sameIgnoringCase),
  Null: { matches: sameIgnoringCase, negated: false, presence: true },
};

/**
 * Reads one entry of a Condition block.
 * @throws {RangeError} naming an operator that the local cloud does not know
 */
export function parseCondition(operator: string, key: string, values: readonly string[]): Condition {
  let rest = operator;
  let quantifier: Condition['quantifier'] = 'single';
  if (rest.startsWith('ForAnyValue:')) quantifier = 'any-value';
  if (rest.startsWith('ForAllValues:')) quantifier = 'all-values';
  rest = rest.replace(/^For(AnyValue|AllValues):/, '');
  const ifExists = rest.endsWith('IfExists');
  if (ifExists) rest = rest.slice(0, -'IfExists'.length);
  const comparison = Object.hasOwn(comparisons, rest) ? comparisons[rest] : undefined;
  if (!comparison || (comparison.presence && (ifExists || quantifier !== 'single'))) {
    throw new RangeError(`condition operator "${operator}" is not known to the local cloud`);
  }
  return { comparison, quantifier, ifExists, key: key.toLowerCase(), values };
}

/** True if the request's context satisfies the condition; see "Condition operators" of the IAM user guide. */
export function holds(condition: Condition, context: RequestContext): boolean {
  const { comparison, quantifier, ifExists, values } = condition;
  const actual = contextValues(context, condition.key);
  if (comparison.presence) return values.some((wanted) => sameIgnoringCase(wanted, String(actual.length === 0)));
  const meets = (value: string) => values.some((wanted) => comparison.matches(wanted, value)) !== comparison.negated;
  if (quantifier === 'all-values') return actual.every(meets);
  if (actual.length === 0) return ifExists || (quantifier === 'single' && comparison.negated);
  if (quantifier === 'any-value') return actual.some(meets);
  return comparison.negated ? actual.every(meets) : actual.some(meets);
}

function contextValues(context: RequestContext, lowerCaseKey: string): readonly string[] {
  for (const [key, value] of Object.entries(context)) {
    if (key.toLowerCase() === lowerCaseKey) return typeof value === 'string' ? [value] : value;
  }
  return [];
}
