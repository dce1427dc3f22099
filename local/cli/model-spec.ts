import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { FlError } from '../../shared/core/errors.ts';
import { randomFrom } from '../../shared/core/random.ts';
import { fedAvgCnn } from '../../shared/onnx/models/fedavg-cnn.ts';
import { initialParams } from '../../shared/onnx/models/initial-params.ts';
import { logisticRegression } from '../../shared/onnx/models/logistic-regression.ts';
import { mlp } from '../../shared/onnx/models/mlp.ts';
import { buildTrainingPackage, type TrainingPackage } from '../../shared/onnx/training/training-package.ts';

const width = z.number().int().min(1).max(1_000_000);

/** A model as a task file names it: a family with its sizes, or a forward ONNX model of one's own. */
export const modelSpecSchema = z.union([
  z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('logistic-regression'), features: width, classes: width.min(2) }),
    z.strictObject({
      kind: z.literal('mlp'),
      features: width,
      hidden: z.array(width).min(1).max(20).default([200]),
      classes: width.min(2),
    }),
    z.strictObject({
      kind: z.literal('cnn'),
      channels: width.default(1),
      height: width.default(28),
      width: width.default(28),
      classes: width.min(2).default(10),
    }),
  ]),
  z.strictObject({ onnx: z.string().min(1) }),
]);
export type ModelSpec = z.output<typeof modelSpecSchema>;

/** A training package and the parameters of version 0. */
export interface BuiltModel {
  readonly package: TrainingPackage;
  /** Flat, in the package's layout. */
  readonly initial: Float32Array;
}

/**
 * Builds the training graphs. Families start from the seed; an ONNX file starts from the values that it holds.
 * @throws {FlError} `model-missing` if the file cannot be read; what `buildTrainingPackage` throws
 */
export async function buildModel(spec: ModelSpec, seed: number): Promise<BuiltModel> {
  if ('onnx' in spec) {
    const built = buildTrainingPackage({ forward: await readModel(spec.onnx), loss: 'softmax-cross-entropy' });
    return { package: built, initial: built.initial };
  }
  const forward = forwardOf(spec);
  const random = randomFrom(seed).fork('initial');
  // A softmax regression is convex: zeros are as good a start as any, and the same for every seed.
  const initial = spec.kind === 'logistic-regression' ? undefined : initialParams(forward, random);
  const built = buildTrainingPackage({ forward, loss: 'softmax-cross-entropy' });
  return { package: built, initial: initial ?? built.initial };
}

function forwardOf(spec: Exclude<ModelSpec, { onnx: string }>): Uint8Array {
  switch (spec.kind) {
    case 'logistic-regression':
      return logisticRegression(spec);
    case 'mlp':
      return mlp(spec);
    case 'cnn':
      return fedAvgCnn(spec);
  }
}

async function readModel(path: string): Promise<Uint8Array> {
  try {
    return new Uint8Array(await readFile(path));
  } catch (cause) {
    throw new FlError('model-missing', `cannot read ${path}: ${cause instanceof Error ? cause.message : cause}`, {
      cause,
    });
  }
}
