import type { InferenceSession } from 'onnxruntime-common';
import { FlError } from '../../core/errors.ts';
import type { Samples } from '../../core/samples.ts';
import { inputNames, outputNames } from '../training/names.ts';
import { floatsOf, int64Of, type OnnxRuntime, type Tensors } from './runtime.ts';

export interface EvaluateResult {
  /** Mean loss over the examples. */
  readonly loss: number;
  /** Share of the examples whose highest score is their label's, in [0, 1]. */
  readonly accuracy: number;
  readonly examples: number;
}

/** Examples in one call: the activations of a set need not fit into memory at once. */
const chunk = 256;

/** Runs the evaluation graph over chunks of the samples and adds up. @throws {FlError} `evaluation-failed` */
export async function evaluateInChunks(
  ort: OnnxRuntime,
  session: InferenceSession,
  params: Tensors,
  { x, y, n, shape }: Samples,
): Promise<EvaluateResult> {
  const width = x.length / n;
  let lossSum = 0;
  let correct = 0;
  for (let first = 0; first < n; first += chunk) {
    const end = Math.min(n, first + chunk);
    const outputs = await session
      .run({
        ...params,
        [inputNames.features]: new ort.Tensor('float32', x.subarray(first * width, end * width), [
          end - first,
          ...shape,
        ]),
        [inputNames.labels]: new ort.Tensor('int64', BigInt64Array.from(y.subarray(first, end), BigInt), [end - first]),
      })
      .catch((cause: unknown) => {
        const reason = cause instanceof Error ? cause.message : String(cause);
        throw new FlError('evaluation-failed', `the ONNX runtime gave up: ${reason}`, { cause });
      });
    lossSum += floatsOf(outputs[outputNames.lossSum])[0];
    correct += Number(int64Of(outputs[outputNames.correct])[0]);
  }
  return { loss: lossSum / n, accuracy: correct / n, examples: n };
}
