import type { Samples } from '../../../shared/core/samples.ts';
import type { Federation } from '../../data/federation.ts';
import { UsageError } from '../console.ts';
import type { ModelSpec } from '../model-spec.ts';
import type { StartOptions } from './settings.ts';

const defaultHidden = [200];

/** The model that was asked for, or the one that suits the data. @throws {UsageError} if it cannot take the data */
export function modelFor({ model, hidden }: StartOptions, { suggestion, shape, classes }: Federation): ModelSpec {
  const kind = model ?? suggestion.model.kind;
  const features = shape.reduce((product, side) => product * side, 1);
  if (hidden && kind !== 'mlp') throw new UsageError(`--hidden is for --model mlp; this is ${kind}`);
  switch (kind) {
    case 'logistic-regression':
      return { kind, features, classes };
    case 'mlp': {
      const suggested = suggestion.model.kind === 'mlp' ? suggestion.model.hidden : defaultHidden;
      return { kind, features, hidden: [...(hidden ?? suggested)], classes };
    }
    case 'cnn': {
      if (shape.length !== 3) throw new UsageError('--model cnn is for images: [channels, height, width]');
      const [channels, height, width] = shape;
      return { kind, channels, height, width, classes };
    }
  }
}

/** The federation with its examples shaped as the model takes them: flat for all but the CNN. No value is copied. */
export function shapedFor(model: ModelSpec, federation: Federation): Federation {
  if ('kind' in model && model.kind === 'cnn') return federation;
  const shape = [federation.shape.reduce((product, side) => product * side, 1)];
  const flat = (samples: Samples): Samples => ({ ...samples, shape });
  return {
    ...federation,
    shape,
    clients: federation.clients.map(({ id, train, test }) => ({ id, train: flat(train), test: flat(test) })),
    heldOut: flat(federation.heldOut),
  };
}

export function modelText(model: ModelSpec): string {
  if (!('kind' in model)) return model.onnx;
  if (model.kind === 'mlp') return `MLP ${[model.features, ...model.hidden, model.classes].join('-')}`;
  if (model.kind === 'cnn') return 'CNN';
  return `logistic regression ${model.features}-${model.classes}`;
}
