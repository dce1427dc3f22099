import { fromBinary } from '@bufbuild/protobuf';
import { FlError } from '../core/errors.ts';
import { type ModelProto, ModelProtoSchema } from './proto/onnx_pb.ts';

/** Protobuf ends at 2 GiB; a model to be trained on a device stays far below. */
export const defaultMaxBytes = 512 * 1024 * 1024;

/**
 * Decodes ONNX bytes into protobuf messages that own their memory; what they mean is not checked.
 * @throws {FlError} `onnx-too-large`, or `onnx-malformed` if the bytes are no protobuf message
 */
export function readProto(bytes: Uint8Array, maxBytes = defaultMaxBytes): ModelProto {
  if (bytes.byteLength > maxBytes) {
    throw new FlError('onnx-too-large', `the model has ${bytes.byteLength} bytes, at most ${maxBytes} are read`);
  }
  if (bytes.byteLength === 0) throw new FlError('onnx-malformed', 'the model is empty (0 bytes)');
  try {
    // The decoder hands out views, and of a Node Buffer it hands out Buffers: a plain copy is safe to keep.
    return fromBinary(ModelProtoSchema, new Uint8Array(bytes));
  } catch (cause) {
    throw new FlError('onnx-malformed', `the ${bytes.byteLength} bytes are not an ONNX model, or a part of one`, {
      cause,
    });
  }
}
