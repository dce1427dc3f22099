import { create, toBinary } from '@bufbuild/protobuf';
import type { Attribute, Graph, Model, Node, ValueInfo } from './graph.ts';
import {
  type AttributeProto,
  AttributeProtoSchema,
  AttributeProto_AttributeType as AttributeType,
  type GraphProto,
  GraphProtoSchema,
  ModelProtoSchema,
  type NodeProto,
  NodeProtoSchema,
  type TensorProto,
  TensorProtoSchema,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from './proto/onnx_pb.ts';
import { elementTypes, type Tensor } from './tensor.ts';

/** The IR version of ONNX 1.14, the first with operator set 19: old enough for every runtime that trains. */
const irVersion = 9n;

/** ONNX bytes of the model. The same model gives the same bytes. */
export function serializeModel({ opset, graph }: Model): Uint8Array {
  return toBinary(
    ModelProtoSchema,
    create(ModelProtoSchema, {
      irVersion,
      producerName: 'tributary',
      opsetImport: [{ domain: '', version: BigInt(opset) }],
      graph: graphProto(graph),
    }),
  );
}

function graphProto(graph: Graph): GraphProto {
  return create(GraphProtoSchema, {
    name: graph.name,
    input: graph.inputs.map(valueInfoProto),
    output: graph.outputs.map(valueInfoProto),
    initializer: [...graph.initializers].map(([name, tensor]) => tensorProto(tensor, name)),
    node: graph.nodes.map(nodeProto),
  });
}

function valueInfoProto({ name, type, dims }: ValueInfo): ValueInfoProto {
  const shape = dims && {
    dim: dims.map((dimension) => ({
      value:
        typeof dimension === 'number'
          ? { case: 'dimValue' as const, value: BigInt(dimension) }
          : { case: 'dimParam' as const, value: dimension },
    })),
  };
  return create(ValueInfoProtoSchema, {
    name,
    type: { value: { case: 'tensorType', value: { elemType: elementTypes[type].code, shape } } },
  });
}

/** The message of a tensor; its data is shared, not copied. */
export function tensorProto({ type, dims, data }: Tensor, name = ''): TensorProto {
  return create(TensorProtoSchema, { name, dataType: elementTypes[type].code, dims: dims.map(BigInt), rawData: data });
}

function nodeProto(node: Node): NodeProto {
  return create(NodeProtoSchema, {
    opType: node.op,
    domain: node.domain,
    name: node.name,
    input: [...node.inputs],
    output: [...node.outputs],
    attribute: [...node.attributes].map(([name, attribute]) => attributeProto(name, attribute)),
  });
}

function attributeProto(name: string, attribute: Attribute): AttributeProto {
  switch (attribute.kind) {
    case 'float':
      return create(AttributeProtoSchema, { name, type: AttributeType.FLOAT, f: attribute.value });
    case 'int':
      return create(AttributeProtoSchema, { name, type: AttributeType.INT, i: BigInt(attribute.value) });
    case 'string':
      return create(AttributeProtoSchema, { name, type: AttributeType.STRING, s: encode(attribute.value) });
    case 'tensor':
      return create(AttributeProtoSchema, { name, type: AttributeType.TENSOR, t: tensorProto(attribute.value) });
    case 'graph':
      return create(AttributeProtoSchema, { name, type: AttributeType.GRAPH, g: graphProto(attribute.value) });
    case 'floats':
      return create(AttributeProtoSchema, { name, type: AttributeType.FLOATS, floats: [...attribute.value] });
    case 'ints':
      return create(AttributeProtoSchema, { name, type: AttributeType.INTS, ints: attribute.value.map(BigInt) });
    case 'strings':
      return create(AttributeProtoSchema, { name, type: AttributeType.STRINGS, strings: attribute.value.map(encode) });
  }
}

const encode = (text: string) => new TextEncoder().encode(text);
