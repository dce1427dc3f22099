import type { GraphBuilder } from '../graph-builder.ts';
import { clipped } from './clip-gradients.ts';
import { inputNames, inputPrefixes } from './names.ts';
import type { Training } from './training-spec.ts';

interface Uncorrected {
  readonly gradients: ReadonlyMap<string, string>;
  readonly parameters: ReadonlyMap<string, string>;
  /** A scalar that the gradients are multiplied by already, and so must be what is added to them. */
  readonly unit: string | undefined;
  readonly extra: (name: string) => string;
}

/**
 * What an algorithm adds to the loss's gradient: FedProx's mu (w - anchor), which is part of the objective and is clipped with it, then
 * SCAFFOLD's c - c_i, which corrects the clipped gradient.
 */
export function appendCorrections(
  build: GraphBuilder,
  training: Training,
  { gradients, parameters, unit, extra }: Uncorrected,
): ReadonlyMap<string, string> {
  const times = (value: string, scalar: string | undefined) =>
    scalar === undefined ? value : build.node('Mul', [value, scalar]);
  const added = (to: ReadonlyMap<string, string>, term: (name: string, parameter: string) => string) =>
    new Map(
      [...to].map(([name, gradient]) => [name, build.node('Add', [gradient, term(name, parameters.get(name) ?? '')])]),
    );
  let result = gradients;
  if (training.proximal) {
    const pull = times(extra(inputNames.proximal), unit);
    result = added(result, (name, parameter) =>
      build.node('Mul', [build.node('Sub', [parameter, extra(inputPrefixes.anchor + name)]), pull]),
    );
  }
  if (training.clip) result = clipped(build, result, training.clip);
  if (training.control) result = added(result, (name) => times(extra(inputPrefixes.control + name), unit));
  return result;
}
