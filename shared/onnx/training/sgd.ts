import type { GraphBuilder } from '../graph-builder.ts';

/** What an update rule gets for one parameter. */
export interface UpdateInputs {
  /** The parameter before the step. */
  readonly parameter: string;
  /** -lr times its gradient: the learning rate enters with the loss, so that no weight-sized multiplication is left. */
  readonly step: string;
  /** Whether another parameter has the very same step, as the two sides of an Add do. */
  readonly shared: boolean;
}

/**
 * Appends parameter + step and names it. Where the step is a plain matrix product, the product adds the parameter itself.
 * A proximal term (FedProx) belongs here: it subtracts lr * mu * (parameter - global) from the result.
 */
export function sgdUpdate(build: GraphBuilder, { parameter, step, shared }: UpdateInputs): string {
  const maker = build.makerOf(step);
  if (!shared && maker?.op === 'Gemm' && maker.inputs.length === 2 && build.readersOf(step) === 0) {
    maker.inputs.push(parameter);
    return step;
  }
  return build.node('Add', [parameter, step]);
}
