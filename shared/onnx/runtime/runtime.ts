import type { InferenceSession, Tensor } from 'onnxruntime-common';
import type { Layout } from '../../core/params.ts';

/** What the trainer needs of an ONNX runtime: onnxruntime-node and onnxruntime-web both have it. */
export interface OnnxRuntime {
  readonly InferenceSession: {
    create(graph: Uint8Array, options?: InferenceSession.SessionOptions): Promise<InferenceSession>;
  };
  readonly Tensor: typeof import('onnxruntime-common').Tensor;
}

/** Tensors by name, as a session takes and returns them. */
export type Tensors = Readonly<Record<string, Tensor>>;

/**
 * One thread, and errors only: training is meant to leave the device usable. 'extended' is all but the layout optimizations: those speed up
 * convolutions with constant weights, of which there are none, and would reorder each pooling's values there and back.
 */
export const sessionOptions: InferenceSession.SessionOptions = {
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  executionMode: 'sequential',
  graphOptimizationLevel: 'extended',
  logSeverityLevel: 3,
};

/** The parameters as tensors over `values`, shape [layout.size], without a copy. */
export function splitParams({ Tensor }: OnnxRuntime, layout: Layout, values: Float32Array): Tensors {
  return Object.fromEntries(
    layout.tensors.map(({ name, shape, offset, size }) => [
      name,
      new Tensor('float32', values.subarray(offset, offset + size), shape),
    ]),
  );
}

/** The parameters as one new flat vector, shape [layout.size]. */
export function joinParams(layout: Layout, tensors: Tensors): Float32Array {
  const values = new Float32Array(layout.size);
  for (const { name, offset } of layout.tensors) values.set(floatsOf(tensors[name]), offset);
  return values;
}

/** @throws {TypeError} if the tensor does not hold float32 */
export function floatsOf({ data, type }: Tensor): Float32Array {
  if (data instanceof Float32Array) return data;
  throw new TypeError(`trainer: expected a float32 tensor, got ${type}`);
}

/** @throws {TypeError} if the tensor does not hold int64 */
export function int64Of({ data, type }: Tensor): BigInt64Array {
  if (data instanceof BigInt64Array) return data;
  throw new TypeError(`trainer: expected an int64 tensor, got ${type}`);
}
