import { FlError } from '../../core/errors.ts';
import type { Layout } from '../../core/params.ts';
import type { Graph } from '../graph.ts';
import { parseModel } from '../parse-model.ts';
import { serializeModel } from '../serialize-model.ts';
import { epochGraph } from './epoch-graph.ts';
import { evaluateGraph } from './evaluate-graph.ts';
import { targetsFeatures } from './loss.ts';
import { differs } from './model-modes.ts';
import { stepGraph } from './step-graph.ts';
import { initialValues, type Trainable, trainableOf } from './trainable.ts';
import { type Training, type TrainingSpec, trainingOf } from './training-spec.ts';

/** All that a client needs to train a model with an ordinary ONNX runtime. The graphs hold no parameters: those are inputs. */
export interface TrainingPackage {
  /** The trainable float32 initializers of the forward model. */
  readonly layout: Layout;
  /** Their values in the forward model, shape [layout.size]. */
  readonly initial: Float32Array;
  /** The forward model as it is to be used: as it came, unless training it is another computation (BatchNormalization, Dropout). */
  readonly forward: Uint8Array;
  /** (parameters, X [batch, ...], Y int64 [batch]) -> (loss_sum, correct int64); see `evaluateGraph` for other losses */
  readonly evaluate: Uint8Array;
  /** (parameters, X, Y, lr, state) -> (loss, parameters', state') */
  readonly trainStep: Uint8Array;
  /** (parameters, X [n, ...], Y [n], idx int64 [steps, batch], lr, state) -> (losses [steps], parameters', state') */
  readonly trainEpoch: Uint8Array;
  /** What the graphs were built for. */
  readonly training: Training;
  /** Shape of one example, without the batch axis. */
  readonly exampleShape: readonly number[];
  /** Scores of one example. */
  readonly outputs: number;
  /** Operator set of the graphs. */
  readonly opset: number;
}

/** The oldest operator set with all that the derivatives use (ReduceMean with optional axes). */
const oldestTrainingOpset = 18;

/**
 * Differentiates a forward ONNX model X [batch, ...] -> scores [batch, outputs] into training graphs of standard operators.
 * @throws {FlError} what `parseModel` throws, `onnx-operator-unsupported`, `onnx-shape`, `onnx-name-reserved`, `onnx-nothing-to-train`,
 *   `loss-invalid`, `optimizer-invalid`, `training-spec-invalid`, `freeze-unknown`
 */
export function buildTrainingPackage({ forward, ...spec }: { forward: Uint8Array } & TrainingSpec): TrainingPackage {
  const parsed = parseModel(forward);
  const training = trainingOf(spec);
  const model = trainableOf(parsed.graph, training.freeze);
  checkReconstruction(model, training);
  const opset = Math.max(parsed.opset, oldestTrainingOpset);
  const serialize = (built: Graph) => serializeModel({ opset, graph: built });
  return {
    layout: model.layout,
    initial: initialValues(model),
    forward: differs({ training: model.graph, inference: model.inference })
      ? serializeModel({ opset: parsed.opset, graph: model.inference })
      : forward,
    evaluate: serialize(evaluateGraph(model, training)),
    trainStep: serialize(stepGraph(model, training)),
    trainEpoch: serialize(epochGraph(model, training)),
    training,
    exampleShape: model.exampleShape,
    outputs: model.outputs,
    opset,
  };
}

function checkReconstruction({ features, exampleShape, outputs }: Trainable, { loss }: Training): void {
  if (!targetsFeatures(loss)) return;
  if (exampleShape.length === 1 && exampleShape[0] === outputs && features.type === 'float32') return;
  throw new FlError(
    'loss-invalid',
    `a model that reproduces its input takes and gives [batch, width] of float32; this one takes [batch, ${exampleShape}] and gives [batch, ${outputs}]`,
  );
}
