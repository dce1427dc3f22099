import type { GraphBuilder } from '../graph-builder.ts';
import { type AdamSpec, type AdamWSpec, adam } from './optimizers/adam.ts';
import { type SgdSpec, sgd } from './optimizers/sgd.ts';

export type OptimizerSpec = AdamSpec | AdamWSpec | SgdSpec;
export type OptimizerName = OptimizerSpec['kind'];
export const optimizerNames = ['sgd', 'adam', 'adamw'] as const satisfies readonly OptimizerName[];

/** What an optimizer gets for one parameter; all are names in the graph being built. */
export interface UpdateInputs {
  /** The parameter before the step. */
  readonly parameter: string;
  /** Its gradient, or -lr times its gradient: as the optimizer wants. */
  readonly gradient: string;
  /** Whether the gradient is read elsewhere too, as the two sides of an Add read the same. */
  readonly shared: boolean;
  /** The learning rate, a scalar, already multiplied by the parameter's own factor. */
  readonly rate: string;
  /** The parameter's state by slot, each of the parameter's shape. */
  readonly state: ReadonlyMap<string, string>;
}

/** A parameter after the step, and its state. */
export interface Updated {
  readonly parameter: string;
  readonly state: ReadonlyMap<string, string>;
}

export interface Optimizer {
  /** What it keeps of each parameter from step to step, zeros at the start. */
  readonly slots: readonly string[];
  /** Whether it needs the number of steps done, `steps`. */
  readonly counts: boolean;
  /** What it wants as `gradient`. A step enters with the loss's seed, so that no weight-sized multiplication is left. */
  readonly wants: 'gradient' | 'step';
  /** @param steps float32 scalar, the number of this step from 1; only for one that counts */
  begin(build: GraphBuilder, steps: string): (inputs: UpdateInputs) => Updated;
}

/** @throws {FlError} `optimizer-invalid` if a setting is out of range */
export function optimizerOf(spec: OptimizerSpec): Optimizer {
  return spec.kind === 'sgd' ? sgd(spec) : adam(spec);
}
