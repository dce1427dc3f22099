import * as ort from 'onnxruntime-node';
import { pick } from '../../client/typescript/data/pick.ts';
import { type Random, randomFrom } from '../../shared/core/random.ts';
import type { Samples } from '../../shared/core/samples.ts';
import { initialParams } from '../../shared/onnx/models/initial-params.ts';
import { OnnxTrainer } from '../../shared/onnx/trainer/onnx-trainer.ts';
import type { LossSpec } from '../../shared/onnx/training/loss.ts';
import { buildTrainingPackage } from '../../shared/onnx/training/training-package.ts';

export interface TrainAlone {
  readonly forward: Uint8Array;
  readonly train: Samples;
  readonly test: Samples;
  readonly loss?: LossSpec;
  readonly epochs: number;
  readonly learningRate: number;
  readonly seed: number;
  /** Makes what an epoch trains on, drawn anew for each. */
  readonly prepare?: (samples: Samples, random: Random) => Samples;
}

/** Trains one model on one client's samples. @returns accuracy on the test set, and the mean of the classes' own accuracies */
export async function trainAlone(options: TrainAlone): Promise<{ accuracy: number; balanced: number }> {
  const { forward, train, test, loss = { kind: 'softmax-cross-entropy' }, epochs, learningRate, seed } = options;
  const { prepare = (samples) => samples } = options;
  const random = randomFrom(`alone/${seed}`);
  const trainer = await OnnxTrainer.create(ort, buildTrainingPackage({ forward, loss }), () => performance.now());
  try {
    let params = initialParams(forward, random.fork('model'));
    for (let epoch = 0; epoch < epochs; epoch++) {
      const samples = prepare(train, random.fork(`prepare/${epoch}`));
      const schedule = { epochs: 1, batchSize: 32, learningRate, random: random.fork(`epoch/${epoch}`) };
      params = (await trainer.train({ params, samples, ...schedule })).params;
    }
    const { accuracy } = await trainer.evaluate({ params, samples: test });
    const classes = [...new Set(test.y)];
    let sum = 0;
    for (const label of classes) {
      const own = pick(
        test,
        [...test.y.keys()].filter((i) => test.y[i] === label),
      );
      sum += (await trainer.evaluate({ params, samples: own })).accuracy;
    }
    return { accuracy, balanced: sum / classes.length };
  } finally {
    await trainer.release();
  }
}

/** Mean and standard deviation of runs, as text. */
export function meanText(values: readonly number[], digits = 3): string {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(1, values.length - 1);
  return `${mean.toFixed(digits)} ± ${Math.sqrt(variance).toFixed(digits)}`;
}
