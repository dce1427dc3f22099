import type { InferenceSession } from 'onnxruntime-common';
import { FlError } from '../../core/errors.ts';
import type { Samples } from '../../core/samples.ts';
import { outputNames } from '../training/names.ts';
import { exampleFeeds, ignoresLabels } from './example-feeds.ts';
import { ExplainedVariance } from './explained-variance.ts';
import { floatsOf, int64Of, type OnnxRuntime, type Tensors } from './runtime.ts';

export interface EvaluateResult {
  /** Mean loss over the examples, weighted as in training. */
  readonly loss: number;
  /**
   * In [0, 1]. Classes: share of the examples, ignored ones left out, whose prediction is right. Regression: the share of the targets'
   * variance that the model explains, R^2 over all outputs together; 0 for a model no better than the mean.
   */
  readonly accuracy: number;
  readonly examples: number;
}

/** Examples in one call: the activations of a set need not fit into memory at once. */
const chunk = 256;

/** Runs the evaluation graph over chunks of the samples and adds up. @throws {FlError} `evaluation-failed`, `samples-invalid` */
export async function evaluateInChunks(
  ort: OnnxRuntime,
  session: InferenceSession,
  params: Tensors,
  samples: Samples,
): Promise<EvaluateResult> {
  const { n } = samples;
  const feeds = exampleFeeds(ort, session, samples, ignoresLabels(session));
  const classes = session.outputNames.includes(outputNames.correct);
  const explained = new ExplainedVariance();
  let lossSum = 0;
  let weight = 0;
  let correct = 0;
  let counted = 0;
  for (let first = 0; first < n; first += chunk) {
    const size = Math.min(n - first, chunk);
    const outputs = await session.run({ ...params, ...feeds.slice(first, first + size) }).catch((cause: unknown) => {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new FlError('evaluation-failed', `the ONNX runtime gave up: ${reason}`, { cause });
    });
    const scalar = (name: string) => floatsOf(outputs[name])[0];
    const whole = (name: string) => Number(int64Of(outputs[name])[0]);
    lossSum += scalar(outputNames.lossSum);
    weight += outputs[outputNames.lossWeight] ? scalar(outputNames.lossWeight) : size;
    counted += outputs[outputNames.counted] ? whole(outputNames.counted) : size;
    if (classes) correct += whole(outputNames.correct);
    else {
      const mean = floatsOf(outputs[outputNames.targetMean]);
      explained.add(size, mean, scalar(outputNames.targetSquares), scalar(outputNames.squaredError));
    }
  }
  const accuracy = classes ? correct / Math.max(1, counted) : explained.share();
  return { loss: lossSum / weight, accuracy, examples: n };
}
