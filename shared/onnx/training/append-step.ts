import { differentiate } from '../differentiate.ts';
import { type GraphBuilder, int } from '../graph-builder.ts';
import { appendForward } from './append-forward.ts';
import { type LossName, losses } from './loss.ts';
import { sgdUpdate } from './sgd.ts';
import type { Trainable } from './trainable.ts';

/** Names, in the graph being built, of what one training step reads. */
export interface StepInputs {
  readonly features: string;
  readonly labels: string;
  readonly learningRate: string;
  /** By the parameter's name in the model. */
  readonly parameters: ReadonlyMap<string, string>;
}

/** Names of what one training step makes. */
export interface StepOutputs {
  /** Mean loss over the batch before the update, a scalar. */
  readonly loss: string;
  /** Updated parameters, by their names in the model. */
  readonly parameters: ReadonlyMap<string, string>;
}

/** Appends one step of mini-batch SGD: forward, mean loss, gradients, update. */
export function appendStep(build: GraphBuilder, model: Trainable, loss: LossName, inputs: StepInputs): StepOutputs {
  const bound = new Map([...inputs.parameters, [model.features.name, inputs.features]]);
  const forward = appendForward(build, model, bound);
  const logits = forward.valueName(model.logits);
  const attached = losses[loss](build, { logits, labels: inputs.labels, classes: model.classes });
  const mean = build.node('ReduceMean', [attached.perExample], { keepdims: int(0) });

  const steps = differentiate(build, forward, {
    of: model.logits,
    seed: attached.gradient(build.node('Neg', [inputs.learningRate])),
    parameters: new Set(inputs.parameters.keys()),
  });
  const updated = new Map<string, string>();
  const uses = Map.groupBy(steps.values(), (step) => step);
  for (const [name, parameter] of inputs.parameters) {
    const step = steps.get(name);
    updated.set(
      name,
      step === undefined ? parameter : sgdUpdate(build, { parameter, step, shared: (uses.get(step)?.length ?? 0) > 1 }),
    );
  }
  return { loss: mean, parameters: updated };
}
