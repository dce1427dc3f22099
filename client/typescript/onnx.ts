import type { Layout } from '../../shared/core/params.ts';
import type { Samples } from '../../shared/core/samples.ts';
import type { OnnxRuntime } from '../../shared/onnx/runtime/runtime.ts';
import type { Evaluate, Train, TrainingPackage } from './participation.ts';
import { OnnxTrainer, type TrainerPackage } from './trainer/onnx-trainer.ts';

/** A trainer's package from the files that a client downloaded. */
export function trainerPackage(layout: Layout, files: TrainingPackage): TrainerPackage {
  return {
    layout,
    evaluate: files['evaluate.onnx'],
    trainStep: files['train-step.onnx'],
    trainEpoch: files['train-epoch.onnx'],
  };
}

/**
 * The two callbacks of `participate` over onnxruntime, for a client that holds its examples in memory.
 * Metrics: `loss` and `accuracy` of the model as it came, on `test`, and `trainLoss`.
 * @param ort onnxruntime-node or onnxruntime-web; it blocks its thread while it trains
 * @param samples what to train on; the caller keeps the buffers
 * @param test what to measure on; without it nothing is measured
 */
export function onnxParticipant({
  ort,
  samples,
  test,
}: {
  readonly ort: OnnxRuntime;
  readonly samples: Samples;
  readonly test?: Samples;
}): { readonly train: Train; readonly evaluate: Evaluate | undefined } {
  let loaded: { readonly files: TrainingPackage; readonly trainer: Promise<OnnxTrainer> } | undefined;
  const trainerFor = async (layout: Layout, files: TrainingPackage): Promise<OnnxTrainer> => {
    if (loaded?.files['train-epoch.onnx'] !== files['train-epoch.onnx']) {
      const before = loaded;
      loaded = { files, trainer: OnnxTrainer.create(ort, trainerPackage(layout, files)) };
      await (await before?.trainer)?.release();
    }
    return loaded.trainer;
  };
  const train: Train = async ({ params, plan, package: files, random, signal }) => {
    const trainer = await trainerFor(params.layout, files);
    const { localEpochs: epochs, batchSize, learningRate } = plan;
    const options = { params: params.values, samples, epochs, batchSize, learningRate, random, signal };
    const trained = await trainer.train(options);
    return { params: trained.params, examples: samples.n, metrics: { trainLoss: trained.loss } };
  };
  const evaluate: Evaluate | undefined =
    test && test.n > 0
      ? async ({ params, package: files }) => {
          const trainer = await trainerFor(params.layout, files);
          const { loss, accuracy } = await trainer.evaluate({ params: params.values, samples: test });
          return { loss, accuracy };
        }
      : undefined;
  return { train, evaluate };
}
