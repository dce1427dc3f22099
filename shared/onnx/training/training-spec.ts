import { FlError } from '../../core/errors.ts';
import type { LossName, LossSpec } from './loss.ts';
import type { OptimizerSpec } from './optimizer.ts';

/** How gradients are kept from exploding: by their norm over all parameters, or each value by itself. */
export type ClipSpec =
  | { readonly kind: 'norm'; readonly max: number }
  | { readonly kind: 'value'; readonly max: number };

/** Gradients clipped for each example, summed, and noise on the sum: DP-SGD (Abadi et al. 2016, arXiv:1607.00133, algorithm 1). */
export interface PrivacySpec {
  /** C: the largest norm of one example's gradient, positive. */
  readonly clipNorm: number;
  /** sigma: the noise's standard deviation in units of C, 0 or more. */
  readonly noiseMultiplier: number;
}

/** A multiple of the learning rate for the parameters that a pattern names. */
export interface RateMultiplier {
  /** A parameter's name, `*` for any characters. */
  readonly pattern: string;
  /** 0 or more; 0 keeps a parameter as it is, but unlike a frozen one it stays in the layout. */
  readonly multiplier: number;
}

/** How a model is trained: everything that is built into the training graphs. */
export interface TrainingSpec {
  readonly loss: LossSpec | LossName;
  readonly optimizer?: OptimizerSpec;
  readonly clip?: ClipSpec;
  /** Names of parameters that stay as they are and leave the layout; `*` stands for any characters. */
  readonly freeze?: readonly string[];
  /** The first pattern that fits a parameter counts. */
  readonly rateMultipliers?: readonly RateMultiplier[];
  /** FedProx (arXiv:1812.06127): inputs `mu` and `anchor/NAME`, and mu / 2 |w - anchor|^2 in the objective; not in the reported loss. */
  readonly proximal?: boolean;
  /** SCAFFOLD (arXiv:1910.06378): inputs `control/NAME`, c - c_i, added to the gradient after it is clipped. */
  readonly control?: boolean;
  readonly privacy?: PrivacySpec;
}

/** A specification with every choice made. */
export interface Training {
  readonly loss: LossSpec;
  readonly optimizer: OptimizerSpec;
  readonly clip: ClipSpec | undefined;
  readonly freeze: readonly string[];
  readonly rateMultipliers: readonly RateMultiplier[];
  readonly proximal: boolean;
  readonly control: boolean;
  readonly privacy: PrivacySpec | undefined;
}

/** @throws {FlError} `training-spec-invalid` on a number out of range */
export function trainingOf(spec: TrainingSpec): Training {
  const { loss, optimizer = { kind: 'sgd' }, clip, privacy } = spec;
  const { freeze = [], rateMultipliers = [], proximal = false, control = false } = spec;
  if (clip) checkPositive(`clip.max`, clip.max);
  if (privacy) {
    checkPositive('privacy.clipNorm', privacy.clipNorm);
    if (!(privacy.noiseMultiplier >= 0 && Number.isFinite(privacy.noiseMultiplier)))
      throw invalid(`privacy.noiseMultiplier is ${privacy.noiseMultiplier}, expected 0 or more`);
  }
  for (const { pattern, multiplier } of rateMultipliers) {
    if (!(multiplier >= 0 && Number.isFinite(multiplier)))
      throw invalid(`the multiplier of "${pattern}" is ${multiplier}, expected 0 or more`);
  }
  const named: LossSpec = typeof loss === 'string' ? { kind: loss } : loss;
  return { loss: named, optimizer, clip, freeze, rateMultipliers, proximal, control, privacy };
}

/** What the learning rate of a parameter is multiplied by. */
export function rateMultiplierOf({ rateMultipliers }: Training, parameter: string): number {
  return rateMultipliers.find(({ pattern }) => matchesPattern(pattern, parameter))?.multiplier ?? 1;
}

/** True if the whole name fits the pattern, in which `*` stands for any characters, also none. Linear in the name for each `*`. */
export function matchesPattern(pattern: string, name: string): boolean {
  const [first, ...rest] = pattern.split('*');
  if (rest.length === 0) return pattern === name;
  const last = rest.pop() ?? '';
  if (!name.startsWith(first)) return false;
  let from = first.length;
  for (const part of rest) {
    const at = name.indexOf(part, from);
    if (at < 0) return false;
    from = at + part.length;
  }
  return name.length - last.length >= from && name.endsWith(last);
}

function checkPositive(name: string, value: number): void {
  if (!(value > 0 && value < Number.POSITIVE_INFINITY))
    throw invalid(`${name} is ${value}, expected a positive number`);
}

function invalid(what: string): FlError {
  return new FlError('training-spec-invalid', what);
}
