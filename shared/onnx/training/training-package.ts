import type { Layout } from '../../core/params.ts';
import type { Graph } from '../graph.ts';
import { parseModel } from '../parse-model.ts';
import { serializeModel } from '../serialize-model.ts';
import { epochGraph } from './epoch-graph.ts';
import { evaluateGraph } from './evaluate-graph.ts';
import type { LossName } from './loss.ts';
import { stepGraph } from './step-graph.ts';
import { initialValues, trainableOf } from './trainable.ts';

/** All that a client needs to train a model with an ordinary ONNX runtime. The graphs hold no parameters: those are inputs. */
export interface TrainingPackage {
  /** The trainable float32 initializers of the forward model. */
  readonly layout: Layout;
  /** Their values in the forward model, shape [layout.size]. */
  readonly initial: Float32Array;
  /** The forward model as it came. */
  readonly forward: Uint8Array;
  /** (parameters, X [batch, ...], Y int64 [batch]) -> (loss_sum, correct int64) */
  readonly evaluate: Uint8Array;
  /** (parameters, X, Y, lr) -> (loss, parameters') */
  readonly trainStep: Uint8Array;
  /** (parameters, X [n, ...], Y [n], idx int64 [steps, batch], lr) -> (losses [steps], parameters') */
  readonly trainEpoch: Uint8Array;
}

/** The oldest operator set with all that the derivatives use (ReduceMean with optional axes). */
const oldestTrainingOpset = 18;

/**
 * Differentiates a forward ONNX model X [batch, ...] -> logits [batch, classes] into training graphs of standard operators.
 * @throws {FlError} what `parseModel` throws, `onnx-operator-unsupported`, `onnx-shape`, `onnx-name-reserved`, `onnx-nothing-to-train`
 */
export function buildTrainingPackage({ forward, loss }: { forward: Uint8Array; loss: LossName }): TrainingPackage {
  const { opset, graph } = parseModel(forward);
  const model = trainableOf(graph);
  const serialize = (built: Graph) => serializeModel({ opset: Math.max(opset, oldestTrainingOpset), graph: built });
  return {
    layout: model.layout,
    initial: initialValues(model),
    forward,
    evaluate: serialize(evaluateGraph(model, loss)),
    trainStep: serialize(stepGraph(model, loss)),
    trainEpoch: serialize(epochGraph(model, loss)),
  };
}
