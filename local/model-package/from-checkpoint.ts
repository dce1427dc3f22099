import { FlError } from '../../shared/core/errors.ts';
import { tensorOf } from '../../shared/core/params.ts';
import { parseModel } from '../../shared/onnx/parse-model.ts';
import { initialValues, trainableOf } from '../../shared/onnx/training/trainable.ts';
import { withParams } from '../../shared/onnx/with-params.ts';
import { parseSafetensors } from '../../shared/wire/safetensors.ts';

/** A forward model with values of a checkpoint, and which parameters these are. */
export interface FromCheckpoint {
  readonly forward: Uint8Array;
  readonly taken: readonly string[];
  /** Parameters of the model that the checkpoint does not have, as a new head: they stay as they were. */
  readonly kept: readonly string[];
}

/**
 * Puts a checkpoint's tensors into a forward model, by name; tensors that the model does not have are left out.
 * @param checkpoint safetensors, float32
 * @throws {FlError} `checkpoint-mismatch` if a tensor has another shape than the parameter of its name, or none fits;
 *   what `parseSafetensors`, `parseModel` and `trainableOf` throw
 */
export function fromCheckpoint(forward: Uint8Array, checkpoint: Uint8Array): FromCheckpoint {
  const model = trainableOf(parseModel(forward).graph);
  const { layout, values } = parseSafetensors(checkpoint);
  const found = new Map(layout.tensors.map((tensor) => [tensor.name, tensor]));
  const start = initialValues(model);
  const taken: string[] = [];
  for (const { name, shape, offset } of model.layout.tensors) {
    const tensor = found.get(name);
    if (!tensor) continue;
    if (tensor.shape.join() !== shape.join()) {
      const what = `"${name}" is [${tensor.shape}] in the checkpoint and [${shape}] in the model`;
      throw new FlError('checkpoint-mismatch', `${what}: rename the one that is new`);
    }
    start.set(tensorOf({ layout, values }, name), offset);
    taken.push(name);
  }
  const names = model.layout.tensors.map(({ name }) => name);
  if (taken.length === 0) {
    throw new FlError(
      'checkpoint-mismatch',
      `no tensor of the checkpoint (${[...found.keys()].slice(0, 5).join(', ')}) is a parameter of the model (${names.slice(0, 5).join(', ')})`,
    );
  }
  return {
    forward: withParams(forward, model.layout, start),
    taken,
    kept: names.filter((name) => !found.has(name)),
  };
}
