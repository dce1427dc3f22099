import type { Params } from '../core/params.ts';
import type { Samples } from '../core/samples.ts';
import type { Evaluation } from '../wire/workflow.ts';

/** Runs a task's evaluation graph. */
export interface Evaluator {
  /** @param graph ONNX: (parameters by name, X, Y) -> (sum of losses, number correct) */
  evaluate(graph: Uint8Array, params: Params, samples: Samples): Promise<Evaluation>;
}
