import { toBinary } from '@bufbuild/protobuf';
import { FlError } from '../core/errors.ts';
import type { Layout } from '../core/params.ts';
import { modelOfProto } from './parse-model.ts';
import { ModelProtoSchema } from './proto/onnx_pb.ts';
import { readProto } from './read-proto.ts';
import { tensorProto } from './serialize-model.ts';
import { float32Tensor } from './tensor.ts';

/**
 * A deployable model: the forward model with its trainable initializers replaced, and nothing else changed.
 * @param values the parameters, shape [layout.size]
 * @throws {FlError} what `parseModel` throws, or `params-mismatch` if the layout is not of this model or the values not of the layout
 */
export function withParams(forward: Uint8Array, layout: Layout, values: Float32Array): Uint8Array {
  if (values.length !== layout.size) {
    throw new FlError('params-mismatch', `${values.length} values given, the layout has ${layout.size}`);
  }
  const proto = readProto(forward);
  const { graph } = modelOfProto(proto);
  for (const { name, shape } of layout.tensors) {
    const tensor = graph.initializers.get(name);
    if (tensor?.type !== 'float32' || tensor.dims.join() !== shape.join()) {
      const found = tensor ? `${tensor.type}[${tensor.dims}]` : 'nothing';
      throw new FlError('params-mismatch', `the layout has "${name}" as float32[${shape}], the model has ${found}`);
    }
  }
  const specs = new Map(layout.tensors.map((spec) => [spec.name, spec]));
  const initializers = proto.graph?.initializer ?? [];
  initializers.forEach(({ name }, index) => {
    const spec = specs.get(name);
    if (!spec) return;
    const slice = values.subarray(spec.offset, spec.offset + spec.size);
    initializers[index] = tensorProto(float32Tensor(slice, spec.shape), name);
  });
  return toBinary(ModelProtoSchema, proto);
}
