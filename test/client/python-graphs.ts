import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as ort from 'onnxruntime-node';
import { permutation, randomFrom } from '../../shared/core/random.ts';
import type { Samples } from '../../shared/core/samples.ts';
import { autoencoder } from '../../shared/onnx/models/autoencoder.ts';
import { charTransformer } from '../../shared/onnx/models/char-transformer.ts';
import { initialParams } from '../../shared/onnx/models/initial-params.ts';
import { linearForecast } from '../../shared/onnx/models/linear-forecast.ts';
import { logisticRegression } from '../../shared/onnx/models/logistic-regression.ts';
import { mlp } from '../../shared/onnx/models/mlp.ts';
import { OnnxTrainer } from '../../shared/onnx/trainer/onnx-trainer.ts';
import { buildTrainingPackage } from '../../shared/onnx/training/training-package.ts';
import type { TrainingSpec } from '../../shared/onnx/training/training-spec.ts';
import { encodeSafetensors } from '../../shared/wire/safetensors.ts';

/** Training packages and what the TypeScript trainer makes of them, for client/python/tests/test_onnx_trainer.py. */

const epochs = 2;
/** Not a divisor of the examples: each epoch ends with a smaller batch. */
const batchSize = 8;
const n = 300;

interface Case {
  readonly forward: Uint8Array;
  readonly spec: TrainingSpec;
  readonly samples: Samples;
  readonly learningRate: number;
  readonly proximalMu?: number;
}

function cases(): Readonly<Record<string, Case>> {
  const loss = 'softmax-cross-entropy';
  const features = 6;
  const draw = randomFrom('python-graphs');
  const x = Float32Array.from({ length: n * features }, () => draw.normal());
  // Classes that a linear model finds: the larger of two sums, or neither.
  const y = Int32Array.from({ length: n }, (_, i) => {
    const [a, b, c, d] = x.subarray(i * features);
    return a + b > c + d + 0.5 ? 0 : c + d > a + b + 0.5 ? 1 : 2;
  });
  const classified: Samples = { x, y, n, shape: [features] };
  const horizon = 2;
  const values = Float32Array.from({ length: n * horizon }, (_, i) => x[Math.floor(i / horizon) * features] + (i % 2));
  const texts = Float32Array.from({ length: n * 5 }, () => draw.below(7));
  return {
    'logistic-regression': {
      forward: logisticRegression({ features, classes: 3 }),
      spec: { loss },
      samples: classified,
      learningRate: 0.1,
    },
    'mlp-momentum': {
      forward: mlp({ features, hidden: [8], classes: 3 }),
      spec: { loss, optimizer: { kind: 'sgd', momentum: 0.9 } },
      samples: classified,
      learningRate: 0.05,
    },
    'mlp-proximal': {
      forward: mlp({ features, hidden: [8], classes: 3 }),
      spec: { loss, proximal: true },
      samples: classified,
      learningRate: 0.1,
      proximalMu: 0.5,
    },
    'forecast-adam': {
      forward: linearForecast({ history: features, horizon }),
      spec: { loss: 'mse', optimizer: { kind: 'adam' } },
      samples: { x, y: values, n, shape: [features] },
      learningRate: 0.01,
    },
    autoencoder: {
      forward: autoencoder({ features, hidden: [4] }),
      spec: { loss: { kind: 'mse', target: 'features' } },
      samples: { ...classified, y: new Int32Array(n) },
      learningRate: 0.05,
    },
    'transformer-integers': {
      forward: charTransformer({ vocabulary: 7, context: 5, width: 8, heads: 2, layers: 1 }),
      spec: { loss },
      samples: { x: texts, y: Int32Array.from({ length: n }, (_, i) => texts[i * 5]), n, shape: [5] },
      learningRate: 0.1,
    },
    private: {
      forward: mlp({ features, hidden: [8], classes: 3 }),
      spec: { loss, privacy: { clipNorm: 1.5, noiseMultiplier: 0.5 } },
      samples: classified,
      learningRate: 0.1,
    },
  };
}

/** Writes a folder for each case. */
export async function writeGraphs(folder: string): Promise<void> {
  for (const [name, { forward, spec, samples, learningRate, proximalMu }] of Object.entries(cases())) {
    const built = buildTrainingPackage({ forward, ...spec });
    const { layout, evaluate, trainStep, trainEpoch, exampleShape } = built;
    const params = initialParams(forward, randomFrom(name));
    const trainer = await OnnxTrainer.create(ort, { layout, evaluate, trainStep, trainEpoch });
    const random = randomFrom(`${name}/training`);
    const shuffles = randomFrom(`${name}/training`);
    const options = { params, samples, epochs, batchSize, learningRate, random, proximalMu };
    const trained = await trainer.train({ ...options, noise: randomFrom('noise') });
    const { loss, accuracy } = await trainer.evaluate({ params: trained.params, samples });
    await trainer.release();
    const at = join(folder, name);
    mkdirSync(at, { recursive: true });
    const write = (file: string, bytes: Uint8Array) => writeFileSync(join(at, file), bytes);
    write('evaluate.onnx', evaluate);
    write('train-step.onnx', trainStep);
    write('train-epoch.onnx', trainEpoch);
    write('initial.safetensors', encodeSafetensors({ layout, values: params }));
    write('trained.safetensors', encodeSafetensors({ layout, values: trained.params }));
    const about = {
      plan: { localEpochs: epochs, batchSize, learningRate },
      proximalMu: proximalMu ?? 0,
      orders: Array.from({ length: epochs }, () => [...permutation(n, shuffles)]),
      seed: shuffles.fork('dropout').below(2 ** 24),
      x: [...samples.x],
      shape: [n, ...exampleShape],
      y: [...samples.y],
      regression: samples.y instanceof Float32Array,
      loss: trained.loss,
      evaluated: { loss, accuracy },
    };
    writeFileSync(join(at, 'case.json'), JSON.stringify(about));
  }
}
