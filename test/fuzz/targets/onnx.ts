import { fromBinary, fromJsonString, toBinary, toJsonString } from '@bufbuild/protobuf';
import fc from 'fast-check';
import type { Graph } from '../../../shared/onnx/graph.ts';
import { importModel } from '../../../shared/onnx/import/import-model.ts';
import { inferShapes } from '../../../shared/onnx/infer-shapes.ts';
import { charTransformer } from '../../../shared/onnx/models/char-transformer.ts';
import { fedAvgCnn } from '../../../shared/onnx/models/fedavg-cnn.ts';
import { gruClassifier } from '../../../shared/onnx/models/gru-classifier.ts';
import { mlp } from '../../../shared/onnx/models/mlp.ts';
import { parseModel } from '../../../shared/onnx/parse-model.ts';
import { ModelProtoSchema } from '../../../shared/onnx/proto/onnx_pb.ts';
import { serializeModel } from '../../../shared/onnx/serialize-model.ts';
import { float32Tensor, int64Tensor } from '../../../shared/onnx/tensor.ts';
import { buildTrainingPackage } from '../../../shared/onnx/training/training-package.ts';
import { nodeOf, type OperatorVector, operatorVectors, vectorFile } from '../../shared/onnx/operator-vectors.ts';
import { hurtBytes, hurtJson } from '../mutate.ts';
import { must, surely, type Target } from '../target.ts';

const networks = [
  mlp({ features: 3, hidden: [4], classes: 2 }),
  fedAvgCnn({ height: 8, width: 8, classes: 2, filters: [2, 2], hidden: 3 }),
  gruClassifier({ steps: 3, features: 2, hidden: 2, classes: 2 }),
  charTransformer({ vocabulary: 5, context: 4, width: 4, heads: 2, layers: 1 }),
];
/** A graph of each operator and variant that there is a rule or a way of writing it otherwise for. */
const operators = [...operatorVectors(), vectorFile('import/lowered.json'), vectorFile('import/old-operators.json')]
  .flatMap(({ cases }) => cases.map(oneNode))
  .filter((bytes) => bytes.length < 4_000);

/** Reads a model and follows its shapes; what comes out is sizes. */
export const onnxModel: Target = {
  name: 'onnx-model',
  valid: networks,
  inputs: hurtModels([...networks, ...operators]),
  async read(bytes) {
    const model = parseModel(bytes);
    const { shapes } = inferShapes(model.graph);
    for (const [name, shape] of shapes) {
      const isSize = (side: unknown) =>
        typeof side === 'string' ? /^batch(\*[1-9]\d*)?$/.test(side) : Number.isSafeInteger(side) && Number(side) >= 0;
      must(shape.every(isSize), `value "${name}" has shape [${shape}]`);
    }
    await surely('a model that cannot be written again', () => parseModel(serializeModel(model)));
  },
};

/** Imports a model and makes its training graphs. */
export const onnxImport: Target = {
  name: 'onnx-import',
  valid: networks,
  inputs: hurtModels([...networks, ...operators]),
  read(bytes) {
    const { forward } = importModel(bytes, { loss: 'softmax-cross-entropy' });
    const { layout, initial } = buildTrainingPackage({ forward, loss: 'softmax-cross-entropy' });
    must(layout.size === initial.length, 'initial values of another number');
    // A batch norm's statistics are doubled, a constant is written out: never more than a fixed multiple.
    must(initial.length <= 2 * bytes.length + 65_536, `${initial.length} parameters of ${bytes.length} bytes`);
  },
};

/** Bytes of a message, and messages whose fields hold something else: the JSON form of protobuf knows them by name. */
function hurtModels(seeds: readonly Uint8Array[]): fc.Arbitrary<Uint8Array> {
  const messages = seeds.map((bytes) => toJsonString(ModelProtoSchema, fromBinary(ModelProtoSchema, bytes)));
  const reworded = fc
    .tuple(hurtJson(messages), fc.constantFrom(...seeds))
    .map(([text, otherwise]) => binaryOf(text) ?? otherwise);
  return fc.oneof({ weight: 3, arbitrary: reworded }, { weight: 1, arbitrary: hurtBytes(seeds) });
}

/** The message that the JSON stands for; undefined where a field has no such value. */
function binaryOf(text: string): Uint8Array | undefined {
  try {
    return toBinary(ModelProtoSchema, fromJsonString(ModelProtoSchema, text, { ignoreUnknownFields: true }));
  } catch {
    return undefined;
  }
}

/** A model of one input, with the batch open, and the operator that the vector tests. */
function oneNode(vector: OperatorVector): Uint8Array {
  const { op, attributes, shapes, constants = [], reads, makes = [true] } = nodeOf(vector);
  const inputs = shapes.map((_, i) => `input${i}`);
  const others = constants.map((_, i) => `constant${i}`);
  const outputs = makes.map((wanted, i) => (wanted ? (i === 0 ? 'y' : `output${i}`) : ''));
  const graph: Graph = {
    name: op,
    inputs: [{ name: 'input0', type: 'float32', dims: ['N', ...(shapes[0] ?? [1]).slice(1)] }],
    outputs: [{ name: outputs.find((name) => name !== '') ?? 'y', type: 'float32', dims: undefined }],
    initializers: new Map([
      ...inputs
        .slice(1)
        .map((name, i) => [name, float32Tensor(new Float32Array(sizeOf(shapes[i + 1])), shapes[i + 1])] as const),
      ...constants.map((value, i) => [others[i], 'data' in value ? value : int64Tensor(value)] as const),
    ]),
    nodes: [
      {
        op,
        domain: '',
        name: '',
        inputs: reads ?? [...inputs, ...others],
        outputs,
        attributes: new Map(Object.entries(attributes)),
      },
    ],
  };
  return serializeModel({ opset: vector.opset, graph });
}

function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, side) => product * side, 1);
}
