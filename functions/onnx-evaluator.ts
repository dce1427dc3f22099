import * as ort from 'onnxruntime-node';
import type { Params } from '../shared/core/params.ts';
import type { Samples } from '../shared/core/samples.ts';
import { evaluateInChunks } from '../shared/onnx/runtime/evaluate.ts';
import { sessionOptions, splitParams } from '../shared/onnx/runtime/runtime.ts';
import type { Evaluator } from '../shared/ports/evaluator.ts';
import type { Evaluation } from '../shared/wire/workflow.ts';

/** Runs evaluation graphs with onnxruntime-node; the newest graph's session is kept. */
export class OnnxEvaluator implements Evaluator {
  #kept: { readonly graph: Uint8Array; readonly session: ort.InferenceSession } | undefined;

  async evaluate(graph: Uint8Array, { layout, values }: Params, samples: Samples): Promise<Evaluation> {
    const session = await this.#sessionOf(graph);
    return evaluateInChunks(ort, session, splitParams(ort, layout, values), samples);
  }

  async #sessionOf(graph: Uint8Array): Promise<ort.InferenceSession> {
    if (this.#kept?.graph === graph) return this.#kept.session;
    await this.#kept?.session.release();
    const session = await ort.InferenceSession.create(graph, sessionOptions);
    this.#kept = { graph, session };
    return session;
  }
}
