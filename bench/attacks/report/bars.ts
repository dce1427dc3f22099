import type { DefenceName } from '../defences.ts';
import { defenceNames } from '../defences.ts';
import { accuracyOf, type Figure, type Results, type Setting } from './results.ts';

/** Something that the lab has to show. */
export interface Bar {
  readonly claim: string;
  readonly measured: string;
  /** Undefined while its runs are missing. */
  readonly met: boolean | undefined;
}

const points = (value: number): string => (100 * value).toFixed(1);

export function barsOf(results: Results): Bar[] {
  return [
    learns(results),
    breaks(results),
    withstood(results, 'sign-flip'),
    withstood(results, 'alie'),
    ...(['isolation-forest', 'autoencoder'] as const).flatMap((detector) =>
      (['scaled', 'gaussian'] as const).map((attack) => detects(results, detector, attack)),
    ),
  ];
}

/** The accuracy that a defence loses against the plain mean where nobody attacks; below zero if it gains. */
export function costOf(results: Results, defence: DefenceName): number | undefined {
  const { own, plain } = besidePlain(results, { defence, attack: 'none', share: 0 });
  return own && plain && plain.mean - own.mean;
}

/** Defences that cost more than a point, dearest first. */
export function costsOf(results: Results): { readonly defence: DefenceName; readonly cost: number }[] {
  return defenceNames
    .flatMap((defence) => {
      const cost = costOf(results, defence);
      return cost !== undefined && cost > 0.01 ? { defence, cost } : [];
    })
    .sort((a, b) => b.cost - a.cost);
}

/** The accuracy of a setting, and that of the plain mean without attackers on the same seeds. */
function besidePlain(results: Results, setting: Setting): { readonly own?: Figure; readonly plain?: Figure } {
  const same = results.ofSeeds(results.of(setting).map(({ cell }) => cell.seed));
  return { own: same.figure(setting, accuracyOf), plain: same.clean('none') };
}

function learns(results: Results): Bar {
  const clean = results.clean('none');
  return {
    claim: 'the plain mean learns without attackers: over 90%',
    measured: clean ? `${points(clean.mean)}%` : 'no runs',
    met: clean && clean.mean > 0.9,
  };
}

function breaks(results: Results): Bar {
  const broken = results.figure({ defence: 'none', attack: 'sign-flip', share: 0.2 }, accuracyOf);
  return {
    claim: '20% sign-flip: the plain mean falls below 50%',
    measured: broken ? `${points(broken.mean)}%` : 'no runs',
    met: broken && broken.mean < 0.5,
  };
}

function withstood(results: Results, attack: 'sign-flip' | 'alie'): Bar {
  const [best] = defenceNames
    .flatMap((defence) => {
      const { own, plain } = besidePlain(results, { defence, attack, share: 0.2 });
      return own && plain ? { defence, own, lost: plain.mean - own.mean } : [];
    })
    .sort((a, b) => a.lost - b.lost);
  return {
    claim: `20% ${attack}: the best defence within 3 points of the clean plain mean`,
    measured: best ? `${best.defence} ${points(best.own.mean)}%, ${points(best.lost)} lost` : 'no runs',
    met: best && best.lost <= 0.03,
  };
}

function detects(results: Results, defence: 'isolation-forest' | 'autoencoder', attack: 'scaled' | 'gaussian'): Bar {
  const area = results.figure({ defence, attack, share: 0.2 }, ({ areaUnderCurve }) => areaUnderCurve);
  return {
    claim: `20% ${attack}: the scores of ${defence} have an AUROC of at least 0.95`,
    measured: area ? area.mean.toFixed(3) : 'no runs',
    met: area && area.mean >= 0.95,
  };
}
