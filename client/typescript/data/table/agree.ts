import { FlError } from '../../../../shared/core/errors.ts';
import { issuesText } from '../issues.ts';
import { columnRules } from './columns.ts';
import { type Encoding, encodingSchema, type FittedStep, numericNames } from './encoding.ts';
import { canonicalLabel, classesOf } from './label.ts';
import { fitStep } from './steps/fit.ts';
import { type Knowledge, knowledgeOf, nothingKnown } from './steps/knowledge.ts';
import { refit } from './steps/regression.ts';
import type { Summary } from './summary.ts';

/**
 * The encoding that follows from all silos' merged summary, as far as it goes: where a step asks for statistics of what the steps before
 * leave, the encoding is not `complete`, and the silos summarise once more, under it. The usual pipelines need one exchange; imputation by
 * regression needs as many as it says, and one before.
 * @param previous what was agreed before, from the second exchange on
 * @throws {FlError} label-unsuitable; data-malformed if no feature is left; summary-mismatch if `merged` is of another exchange;
 *   summary-invalid if its figures lead to no encoding
 */
export function agree(merged: Summary, previous?: Encoding): Encoding {
  const exchanges = previous?.exchanges ?? 0;
  if (merged.exchange !== exchanges) {
    throw new FlError('summary-mismatch', `summaries of exchange ${merged.exchange}, expected ${exchanges}`);
  }
  if (previous?.complete) throw new FlError('summary-mismatch', 'the encoding is complete already');
  const base = previous ?? firstAgreement(merged);
  const agreed = { ...base, exchanges: exchanges + 1, ...fitSteps(base, merged) };
  // Sums of absurd figures: better one operator hears of it than every client.
  const { error } = encodingSchema.safeParse(agreed);
  if (error) throw new FlError('summary-invalid', `no encoding follows from the summaries: ${issuesText(error)}`);
  return agreed;
}

function firstAgreement(merged: Summary): Encoding {
  const { pipeline } = merged;
  const declared = pipeline.columns.find(({ name }) => name === pipeline.label)?.categories;
  const classes = declared?.map(canonicalLabel) ?? classesOf(merged, pipeline.label);
  const counts = new Map(merged.labels);
  const classCounts = classes.map((label) => counts.get(label) ?? 0);
  const { columns, notes } = columnRules(merged);
  const format = 'tributary-encoding-1';
  return { format, pipeline, exchanges: 0, complete: false, classes, classCounts, columns, steps: [], notes };
}

function fitSteps(encoding: Encoding, merged: Summary): Pick<Encoding, 'steps' | 'complete'> {
  const { pipeline } = encoding;
  const steps: FittedStep[] = [...encoding.steps];
  const names = numericNames(encoding);
  const last = steps.at(-1);
  const isRefit = last?.kind === 'fill-regression' && last.left > 0;
  if (isRefit) steps[steps.length - 1] = refit(last, merged.products ?? []);
  let known: Knowledge = isRefit ? nothingKnown : knowledgeOf(merged, names);
  while (!isUnderWay(steps) && steps.length < pipeline.steps.length) {
    const wanted = pipeline.steps[steps.length];
    const chosen = names.filter((name) => wanted.columns?.includes(name) ?? true);
    const fit = fitStep(wanted, chosen, known);
    if (!fit) return { steps, complete: false };
    steps.push(fit.step);
    known = fit.known;
  }
  return { steps, complete: !isUnderWay(steps) };
}

function isUnderWay(steps: readonly FittedStep[]): boolean {
  const last = steps.at(-1);
  return last?.kind === 'fill-regression' && last.left > 0;
}
