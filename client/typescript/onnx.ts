import { FlError } from '../../shared/core/errors.ts';
import type { Layout } from '../../shared/core/params.ts';
import type { Random } from '../../shared/core/random.ts';
import type { Samples } from '../../shared/core/samples.ts';
import type { OnnxRuntime } from '../../shared/onnx/runtime/runtime.ts';
import type { NoiseSource } from '../../shared/onnx/trainer/noise-source.ts';
import { OnnxTrainer, type TrainerPackage, type TrainOptions } from '../../shared/onnx/trainer/onnx-trainer.ts';
import type { Metrics } from '../../shared/wire/api.ts';
import { secretNoise } from './noise.ts';
import type { Evaluate, Train, TrainingPackage } from './participation.ts';

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
 * Metrics: `loss` and `accuracy` of the model as it came, on `test`, and `trainLoss`; where the package trains with DP-SGD, `clipNorm` and
 * `noiseMultiplier` in place of the latter, because the exact loss on private examples is not covered by the noise.
 * @param ort onnxruntime-node or onnxruntime-web; it blocks its thread while it trains
 * @param samples what to train on; the caller keeps the buffers
 * @param prepare makes what an update trains on from the samples, drawn anew each time: augmentation, resampling. The update still counts
 *   for the examples that the client holds; not with DP-SGD
 * @param test what to measure on; without it nothing is measured
 * @param noise for a package that trains with DP-SGD: secret by default, for tests from a seed
 * @param proximalMu FedProx's mu, for a package with that term; 0 by default
 * @param onProgress called every 200 ms or so; the promise that it may return holds the training until it resolves, e.g. while on battery
 */
export function onnxParticipant({
  ort,
  samples,
  prepare,
  test,
  noise = secretNoise(),
  proximalMu,
  onProgress,
}: {
  readonly ort: OnnxRuntime;
  readonly samples: Samples;
  readonly prepare?: (samples: Samples, random: Random) => Samples;
  readonly test?: Samples;
  readonly noise?: NoiseSource;
  readonly proximalMu?: number;
  readonly onProgress?: TrainOptions['onProgress'];
}): { readonly train: Train; readonly evaluate: Evaluate | undefined } {
  let loaded: { readonly files: TrainingPackage; readonly trainer: Promise<OnnxTrainer> } | undefined;
  const trainerFor = async (layout: Layout, files: TrainingPackage): Promise<OnnxTrainer> => {
    if (loaded?.files['train-epoch.onnx'] !== files['train-epoch.onnx']) {
      const before = loaded;
      loaded = { files, trainer: OnnxTrainer.create(ort, trainerPackage(layout, files), () => performance.now()) };
      await (await before?.trainer)?.release();
    }
    return loaded.trainer;
  };
  const train: Train = async ({ params, plan, package: files, random, signal }) => {
    const trainer = await trainerFor(params.layout, files);
    const { localEpochs: epochs, batchSize, learningRate } = plan;
    const schedule = { epochs, batchSize, learningRate, random, signal, onProgress };
    // Its accountant knows each example once; mixed or repeated ones would weigh more than the noise covers.
    if (prepare && trainer.privacy) throw new FlError('prepare-unsuitable', 'prepare does not go with DP-SGD');
    const drawn = prepare?.(samples, random.fork('prepare')) ?? samples;
    const trained = await trainer.train({ params: params.values, samples: drawn, ...schedule, noise, proximalMu });
    const metrics: Metrics = trainer.privacy ? { ...trainer.privacy } : { trainLoss: trained.loss };
    return { params: trained.params, examples: samples.n, metrics };
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
