import { FlError } from '../../../core/errors.ts';
import { float, type GraphBuilder } from '../../graph-builder.ts';
import type { Optimizer, Updated, UpdateInputs } from '../optimizer.ts';
import { checkRange } from './check-setting.ts';

export interface SgdSpec {
  readonly kind: 'sgd';
  /** In [0, 1). */
  readonly momentum?: number;
  readonly nesterov?: boolean;
  /** Multiple of the parameter added to its gradient, 0 or more. */
  readonly weightDecay?: number;
}

/**
 * PyTorch's SGD without dampening. The velocity holds the learning rate, u = momentum u - lr g: the same while the rate stays the same, as
 * it does within a ticket, and a weight's Gemm makes the new velocity, or the new parameter, by itself.
 */
export function sgd({ momentum = 0, nesterov = false, weightDecay = 0 }: SgdSpec): Optimizer {
  checkRange('momentum', momentum, 0, 1);
  checkRange('weightDecay', weightDecay, 0, Number.POSITIVE_INFINITY);
  if (nesterov && momentum === 0) throw new FlError('optimizer-invalid', 'nesterov needs a momentum greater than 0');
  const velocityOf = (state: ReadonlyMap<string, string>) => state.get('velocity') ?? '';

  function withMomentum(build: GraphBuilder, inputs: UpdateInputs): Updated {
    const { parameter, rate, state } = inputs;
    let { gradient: step, shared } = inputs;
    if (weightDecay > 0) {
      const shrink = build.node('Mul', [parameter, build.node('Mul', [rate, build.float(-weightDecay)])]);
      step = addTo(build, shrink, { step, shared });
      shared = true;
    }
    const velocity = addTo(build, velocityOf(state), { step, shared: shared || nesterov }, momentum);
    if (!nesterov)
      return { parameter: build.node('Add', [parameter, velocity]), state: new Map([['velocity', velocity]]) };
    const ahead = build.node('Add', [build.node('Mul', [velocity, build.float(momentum)]), step]);
    return { parameter: build.node('Add', [parameter, ahead]), state: new Map([['velocity', velocity]]) };
  }

  function plain(build: GraphBuilder, { parameter, gradient: step, shared, rate }: UpdateInputs): Updated {
    if (weightDecay === 0) return { parameter: addTo(build, parameter, { step, shared }), state: new Map() };
    const keep = build.node('Sub', [build.float(1), build.node('Mul', [rate, build.float(weightDecay)])]);
    return { parameter: addTo(build, build.node('Mul', [parameter, keep]), { step, shared }), state: new Map() };
  }

  return {
    slots: momentum > 0 ? ['velocity'] : [],
    counts: false,
    wants: 'step',
    begin: (build) => (inputs) => (momentum > 0 ? withMomentum(build, inputs) : plain(build, inputs)),
  };
}

/** Appends factor * base + step. Where the step is a plain matrix product that nothing else reads, the product adds the base itself. */
function addTo(
  build: GraphBuilder,
  base: string,
  { step, shared }: { readonly step: string; readonly shared: boolean },
  factor = 1,
): string {
  const maker = build.makerOf(step);
  if (!shared && maker?.op === 'Gemm' && maker.inputs.length === 2 && build.readersOf(step) === 0) {
    const attributes = new Map(maker.attributes);
    if (factor !== 1) attributes.set('beta', float(factor));
    return build.node('Gemm', [...maker.inputs, base], Object.fromEntries(attributes));
  }
  return build.node('Add', [factor === 1 ? base : build.node('Mul', [base, build.float(factor)]), step]);
}
