import * as ort from 'onnxruntime-node';
import { buildModel } from '../../local/cli/model-spec.ts';
import { FlError } from '../../shared/core/errors.ts';
import type { Random } from '../../shared/core/random.ts';
import type { Samples } from '../../shared/core/samples.ts';
import { OnnxTrainer } from '../../shared/onnx/trainer/onnx-trainer.ts';
import { settings } from './settings.ts';

/** What a run of the lab needs of a model. */
export interface LabTrainer {
  /** The model of version 0 for a seed, `[P]`. */
  initial(seed: number): Promise<Float32Array>;
  /** Parameters after so many epochs minus `params`; undefined if training diverged. */
  update(params: Float32Array, samples: Samples, epochs: number, random: Random): Promise<Float32Array | undefined>;
  /** Share of the samples whose label the model finds. */
  accuracy(params: Float32Array, samples: Samples): Promise<number>;
}

export async function createTrainer(features: number, classes: number): Promise<LabTrainer> {
  const model = (seed: number) => buildModel({ kind: 'mlp', features, hidden: [settings.hidden], classes }, seed);
  const trainer = await OnnxTrainer.create(ort, (await model(0)).package);
  const { batchSize, learningRate } = settings;
  return {
    initial: async (seed) => (await model(seed)).initial,
    async update(params, samples, epochs, random) {
      try {
        const trained = await trainer.train({ params, samples, epochs, batchSize, learningRate, random });
        return trained.params.map((value, i) => value - params[i]);
      } catch (error) {
        if (error instanceof FlError && error.code === 'training-diverged') return undefined;
        throw error;
      }
    },
    accuracy: async (params, samples) => (await trainer.evaluate({ params, samples })).accuracy,
  };
}
