import { z } from 'zod';
import { type RuleConfig, type RuleInput, ruleSchema } from '../../shared/wire/rules.ts';

export const defenceNames = [
  'none',
  'norm-clipping',
  'krum',
  'multi-krum',
  'bulyan',
  'median',
  'trimmed-mean',
  'geometric-median',
  'nnm+krum',
  'nnm+multi-krum',
  'nnm+median',
  'nnm+trimmed-mean',
  'bucketing+geometric-median',
  'bucketing+centred-clipping',
  'centred-clipping',
  'fltrust',
  'zeno-plus-plus',
  'fools-gold',
  'async-filter',
  'isolation-forest',
  'autoencoder',
  'norm-clipping+async-filter',
  'norm-clipping+isolation-forest',
  'norm-clipping+autoencoder',
] as const;
export type DefenceName = (typeof defenceNames)[number];

/** Rules as a task file lists them; what is not said has the product's default, which is for few attackers. */
const defences: Readonly<Record<DefenceName, (attackers?: number) => readonly RuleInput[]>> = {
  none: () => [],
  'norm-clipping': () => [{ kind: 'norm-clipping' }],
  krum: (attackers) => [{ kind: 'krum', attackers }],
  'multi-krum': (attackers) => [{ kind: 'multi-krum', attackers }],
  bulyan: () => [{ kind: 'bulyan' }],
  median: () => [{ kind: 'median' }],
  'trimmed-mean': (attackers) => [{ kind: 'trimmed-mean', attackers }],
  'geometric-median': () => [{ kind: 'geometric-median' }],
  'nnm+krum': (attackers) => [mixing(attackers), { kind: 'krum', attackers }],
  'nnm+multi-krum': (attackers) => [mixing(attackers), { kind: 'multi-krum', attackers }],
  'nnm+median': (attackers) => [mixing(attackers), { kind: 'median' }],
  'nnm+trimmed-mean': (attackers) => [mixing(attackers), { kind: 'trimmed-mean', attackers }],
  'bucketing+geometric-median': () => [{ kind: 'bucketing' }, { kind: 'geometric-median' }],
  'bucketing+centred-clipping': () => [{ kind: 'bucketing' }, { kind: 'centred-clipping' }],
  'centred-clipping': () => [{ kind: 'centred-clipping' }],
  fltrust: () => [{ kind: 'fltrust' }],
  'zeno-plus-plus': () => [{ kind: 'zeno-plus-plus' }],
  'fools-gold': () => [{ kind: 'fools-gold' }],
  'async-filter': () => [{ kind: 'async-filter' }],
  'isolation-forest': (attackers) => [forest(attackers)],
  autoencoder: () => [{ kind: 'autoencoder' }],
  'norm-clipping+async-filter': () => [{ kind: 'norm-clipping' }, { kind: 'async-filter' }],
  'norm-clipping+isolation-forest': (attackers) => [{ kind: 'norm-clipping' }, forest(attackers)],
  'norm-clipping+autoencoder': () => [{ kind: 'norm-clipping' }, { kind: 'autoencoder' }],
};

const mixing = (attackers: number | undefined): RuleInput => ({ kind: 'nearest-neighbour-mixing', attackers });

const forest = (attackers: number | undefined): RuleInput => ({
  kind: 'isolation-forest',
  ...(attackers !== undefined && { threshold: { kind: 'contamination', fraction: attackers } }),
});

/** Where more than this share attack, the defender knows: rules that ask for a share are told 40%, about the most they are defined for. */
const few = 0.2;

export function rulesOf(defence: DefenceName, share: number): RuleConfig[] {
  return z.array(ruleSchema).parse(defences[defence](share > few ? 0.4 : undefined));
}
