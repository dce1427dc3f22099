import { type AttackKind, attackKinds, attackOf } from '../../../local/attacks/attack.ts';
import { type DefenceName, defenceNames } from '../defences.ts';
import { headline, seeds, variedAttacks } from '../grid.ts';
import type { RunRecord } from '../run-record.ts';
import { settings } from '../settings.ts';
import { barsOf, costOf, costsOf } from './bars.ts';
import { percent, percentWithSpread, ratio, table } from './markdown.ts';
import { accuracyOf, backdoorOf, type Figure, Results } from './results.ts';

export interface Surroundings {
  readonly machine: string;
  /** ISO, the day. */
  readonly date: string;
  /** What a person wrote on these results, Markdown. */
  readonly findings: string;
}

/** docs/attacks.md from the finished runs of a grid of `runs`. */
export function report(records: readonly RunRecord[], runs: number, surroundings: Surroundings): string {
  const results = new Results(records);
  const everywhere = results.ofSeeds(seeds);
  const sections = [
    heading(records, runs, surroundings),
    bars(results, everywhere),
    surroundings.findings.trim(),
    headlineTable(results),
    accuracyTable(everywhere),
    backdoorTable(everywhere),
    sharesTable(everywhere),
    detection(everywhere),
    attacksTable(),
  ];
  return `${sections.filter((section) => section !== '').join('\n\n')}\n`;
}

function heading(records: readonly RunRecord[], runs: number, { machine, date }: Surroundings): string {
  const s = settings;
  const seconds = records.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0);
  return `# Attacks and defences

\`npm run bench -- attacks --data-dir DIR\`, ${date}, ${machine}: ${records.length} of ${runs} runs, ${(seconds / 60).toFixed(0)} minutes of processor
time. Written by the command; runs are deterministic. Seeds 1 to 3, and 1 to 5 in the headline table; figures are means over seeds.

${s.clients} clients of MNIST, Dirichlet(${s.alpha}), about 300 images each; an MLP 784-${s.hidden}-10; ${s.localEpochs} local epoch, batch ${s.batchSize}, learning rate ${s.learningRate}.
Asynchronous rounds in virtual time: ${s.concurrency} clients train at a time, ${100 * s.stragglers}% of them 5 to 10 times slower, K = ${s.buffer}, staleness up to
${s.maxStaleness} weighted by (1 + staleness)^-${s.staleness.exponent}, weights by examples, ${s.versions} versions. The measurements, the rules with their defaults, and the aggregation are the
product's own. Accuracy: on ${s.heldOut.toLocaleString('en')} test images, the mean of the last ${s.lastEvaluations} versions. Rules that ask for a number of attackers guard against 30% of
a round (Bulyan 20%, its limit at K = 20), and against 40% where 40% attack: 20% of the clients are up to 35% of a round.
A run that comes to a halt counts with its last version. \`nnm\` is nearest-neighbour mixing.`;
}

function bars(results: Results, everywhere: Results): string {
  const verdict = (met: boolean | undefined) => (met === undefined ? '–' : met ? 'yes' : '**no**');
  const rows = barsOf(results).map(({ claim, measured, met }) => [claim, measured, verdict(met)]);
  const costs = costsOf(everywhere).map(({ defence, cost }) => `${defence} ${(100 * cost).toFixed(1)}`);
  const dear = costs.length > 0 ? `Over a point of accuracy without attackers cost: ${costs.join(', ')}.` : '';
  return `## What had to be shown\n\n${table(['bar', 'measured', 'met'], rows)}\n\n${dear}`.trim();
}

function headlineTable(results: Results): string {
  const rows = headline.defences.map((defence) => [
    defence,
    percentWithSpread(results.clean(defence)),
    ...headline.attacks.map((attack) => percentWithSpread(results.figure({ defence, attack, share: 0.2 }, accuracyOf))),
  ]);
  const header = ['defence', 'no attack', ...headline.attacks.map((attack) => `${attack} 20%`)];
  return `## Headline rows: five seeds\n\nMean and standard deviation between seeds.\n\n${table(header, rows)}`;
}

function accuracyTable(results: Results): string {
  const rows = byDefence(['no attack', 'cost', 'worst', ...attackKinds], (defence) => {
    const attacked = attackKinds.map((attack) => results.figure({ defence, attack, share: 0.2 }, accuracyOf));
    const cost = costOf(results, defence);
    // Rounded first, for toFixed writes -0.0.
    const lost = cost === undefined ? '–' : (Math.round(1_000 * cost) / 10).toFixed(1);
    return [percent(results.clean(defence)), lost, percent(worstOf(attacked)), ...attacked.map(percent)];
  });
  return `## 20% attackers: accuracy\n\nCost: points lost to the plain mean where nobody attacks.\n\n${rows}`;
}

/** Unknown until every attack has been tried. */
function worstOf(figures: readonly (Figure | undefined)[]): Figure | undefined {
  const known = figures.flatMap((figure) => figure ?? []);
  if (known.length < figures.length) return undefined;
  return known.reduce((worst, figure) => (figure.mean < worst.mean ? figure : worst));
}

function backdoorTable(results: Results): string {
  const columns = [
    { attack: 'backdoor', share: 0.1 },
    { attack: 'backdoor', share: 0.2 },
    { attack: 'backdoor', share: 0.4 },
    { attack: 'model-replacement', share: 0.2 },
  ] as const;
  return `## Backdoors: success\n\nTest images of other classes that the trigger turns into class 0, in percent: lower is better.\n\n${byDefence(
    columns.map(({ attack, share }) => `${attack} ${100 * share}%`),
    (defence) => columns.map((column) => percent(results.figure({ defence, ...column }, backdoorOf))),
  )}`;
}

function sharesTable(results: Results): string {
  const columns = variedAttacks.flatMap((attack) => [0.1, 0.2, 0.4].map((share) => ({ attack, share })));
  return `## 10%, 20% and 40% attackers: accuracy\n\n${byDefence(
    columns.map(({ attack, share }) => `${attack} ${100 * share}%`),
    (defence) => columns.map((column) => percent(results.figure({ defence, ...column }, accuracyOf))),
  )}`;
}

function detection(results: Results): string {
  const judges = defenceNames.filter((defence) =>
    results.records.some(
      ({ cell, rejected }) => cell.defence === defence && cell.share <= 0.2 && rejected.honest + rejected.attackers > 0,
    ),
  );
  const detectors = defenceNames.filter((defence) =>
    results.records.some(({ cell, areaUnderCurve }) => cell.defence === defence && areaUnderCurve !== undefined),
  );
  const columns = (read: (defence: DefenceName, attack: AttackKind) => string) => (defence: DefenceName) =>
    attackKinds.map((attack) => read(defence, attack));
  const areas = columns((defence, attack) =>
    ratio(results.figure({ defence, attack, share: 0.2 }, ({ areaUnderCurve }) => areaUnderCurve)),
  );
  const rejected = columns((defence, attack) => {
    const of = (side: 'honest' | 'attackers') =>
      results.figure({ defence, attack, share: 0.2 }, (record) => record.rejected[side]);
    const [attackers, honest] = [of('attackers'), of('honest')];
    return attackers && honest ? `${whole(attackers.mean)} / ${whole(honest.mean)}` : '–';
  });
  const cleanRejected = (defence: DefenceName) => {
    const honest = results.figure({ defence, attack: 'none', share: 0 }, (record) => record.rejected.honest);
    return honest ? whole(honest.mean) : '–';
  };
  return `## Detection, 20% attackers

AUROC of a detector's scores, attackers' updates against honest ones, over all rounds of a run:

${byDefence(attackKinds, areas, detectors)}

Updates rejected, in percent: attackers' / honest clients'; first where nobody attacks:

${byDefence(['no attack', ...attackKinds], (defence) => [cleanRejected(defence), ...rejected(defence)], judges)}`;
}

const whole = (share: number): string => (100 * share).toFixed(0);

function attacksTable(): string {
  const lines = attackKinds.map((kind) => `- \`${kind}\`: ${attackOf(kind).about}`);
  return `## The attacks\n\n${lines.join('\n')}`;
}

function byDefence(
  columns: readonly string[],
  cells: (defence: DefenceName) => readonly string[],
  rows: readonly DefenceName[] = defenceNames,
): string {
  return table(
    ['defence', ...columns],
    rows.map((defence) => [defence, ...cells(defence)]),
  );
}
