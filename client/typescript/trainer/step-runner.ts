import type { InferenceSession } from 'onnxruntime-common';
import type { Layout } from '../../../shared/core/params.ts';
import type { Samples } from '../../../shared/core/samples.ts';
import { floatsOf, type OnnxRuntime, type Tensors } from '../../../shared/onnx/runtime/runtime.ts';
import { inputNames, nextName, outputNames } from '../../../shared/onnx/training/names.ts';

/** Several steps of SGD in one call. */
export interface StepRunner {
  /**
   * @param rows example numbers, `batch` for each step, shape [steps * batch]
   * @returns mean loss of each step, shape [steps], and the parameters after the last
   */
  run(params: Tensors, rows: Uint32Array, batch: number): Promise<{ losses: Float32Array; params: Tensors }>;
}

/** What a runner trains on. */
export interface StepRunnerInputs {
  readonly ort: OnnxRuntime;
  readonly layout: Layout;
  readonly samples: Samples;
  readonly learningRate: number;
}

/** Runs the epoch graph, which gathers the examples and loops over the steps itself. */
export function epochRunner(session: InferenceSession, inputs: StepRunnerInputs): StepRunner {
  const { ort, layout, samples, learningRate } = inputs;
  const fixed: Tensors = {
    [inputNames.features]: new ort.Tensor('float32', samples.x, [samples.n, ...samples.shape]),
    [inputNames.labels]: new ort.Tensor('int64', BigInt64Array.from(samples.y, BigInt), [samples.n]),
    [inputNames.learningRate]: new ort.Tensor('float32', Float32Array.of(learningRate), []),
  };
  return {
    async run(params, rows, batch) {
      const indices = new ort.Tensor('int64', BigInt64Array.from(rows, BigInt), [rows.length / batch, batch]);
      const outputs = await session.run({ ...params, ...fixed, [inputNames.indices]: indices });
      return { losses: floatsOf(outputs[outputNames.losses]), params: nextParams(layout, outputs) };
    },
  };
}

/** Runs the step graph once for each step: slower, for a runtime that does not loop. */
export function singleStepRunner(session: InferenceSession, inputs: StepRunnerInputs): StepRunner {
  const { ort, layout, samples, learningRate } = inputs;
  const rate = new ort.Tensor('float32', Float32Array.of(learningRate), []);
  const width = samples.x.length / samples.n;
  return {
    async run(params, rows, batch) {
      const losses = new Float32Array(rows.length / batch);
      let current = params;
      for (let step = 0; step < losses.length; step++) {
        const features = new Float32Array(batch * width);
        const labels = new BigInt64Array(batch);
        rows.subarray(step * batch, (step + 1) * batch).forEach((row, i) => {
          features.set(samples.x.subarray(row * width, (row + 1) * width), i * width);
          labels[i] = BigInt(samples.y[row]);
        });
        const outputs = await session.run({
          ...current,
          [inputNames.features]: new ort.Tensor('float32', features, [batch, ...samples.shape]),
          [inputNames.labels]: new ort.Tensor('int64', labels, [batch]),
          [inputNames.learningRate]: rate,
        });
        losses[step] = floatsOf(outputs[outputNames.loss])[0];
        current = nextParams(layout, outputs);
      }
      return { losses, params: current };
    },
  };
}

function nextParams(layout: Layout, outputs: Tensors): Tensors {
  return Object.fromEntries(layout.tensors.map(({ name }) => [name, outputs[nextName(name)]]));
}
