import * as ort from 'onnxruntime-node';
import { randomFrom } from '../shared/core/random.ts';
import { OnnxTrainer } from '../shared/onnx/trainer/onnx-trainer.ts';
import type { RootTrainer } from '../shared/ports/root-trainer.ts';

/** Trains on the root data with a client's program, with onnxruntime-node. */
export class OnnxRootTrainer implements RootTrainer {
  async train({ package: files, params, samples, plan, seed }: Parameters<RootTrainer['train']>[0]) {
    const trainer = await OnnxTrainer.create(ort, files);
    try {
      const { localEpochs: epochs, batchSize, learningRate } = plan;
      const schedule = { epochs, batchSize: Math.min(batchSize, samples.n), learningRate, random: randomFrom(seed) };
      return (await trainer.train({ params, samples, ...schedule })).params;
    } finally {
      await trainer.release();
    }
  }
}
