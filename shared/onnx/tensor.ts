/** Element types that Tributary reads and writes, with their ONNX `TensorProto.DataType` code and width in bytes. */
export const elementTypes = {
  float32: { code: 1, bytes: 4 },
  uint8: { code: 2, bytes: 1 },
  int8: { code: 3, bytes: 1 },
  int32: { code: 6, bytes: 4 },
  int64: { code: 7, bytes: 8 },
  bool: { code: 9, bytes: 1 },
  float16: { code: 10, bytes: 2 },
  float64: { code: 11, bytes: 8 },
} as const;

export type ElementType = keyof typeof elementTypes;

/** A constant: `data` holds the elements in row-major order, little-endian as in ONNX `raw_data`, and is never written after it is made. */
export interface Tensor {
  readonly type: ElementType;
  readonly dims: readonly number[];
  readonly data: Uint8Array;
}

/** A float32 tensor over the given values, without a copy. */
export function float32Tensor(values: Float32Array, dims: readonly number[]): Tensor {
  return { type: 'float32', dims, data: bytesOf(values) };
}

/** An int64 tensor; a scalar if `dims` is empty, else a vector unless told otherwise. */
export function int64Tensor(values: readonly number[], dims: readonly number[] = [values.length]): Tensor {
  return { type: 'int64', dims, data: bytesOf(BigInt64Array.from(values, BigInt)) };
}

/**
 * A copy of the tensor's values, shape `[product(dims)]`.
 * @throws {TypeError} if it does not hold float32
 */
export function float32Values(tensor: Tensor): Float32Array {
  if (tensor.type !== 'float32') throw new TypeError(`tensor: expected float32, got ${tensor.type}`);
  return new Float32Array(tensor.data.slice().buffer);
}

/**
 * The tensor's values as numbers.
 * @throws {TypeError} if it does not hold int64
 * @throws {RangeError} on a value past 2^53
 */
export function int64Values(tensor: Tensor): number[] {
  if (tensor.type !== 'int64') throw new TypeError(`tensor: expected int64, got ${tensor.type}`);
  return Array.from(new BigInt64Array(tensor.data.slice().buffer), (value) => {
    const number = Number(value);
    if (!Number.isSafeInteger(number)) throw new RangeError(`tensor: ${value} is past 2^53`);
    return number;
  });
}

function bytesOf(values: Float32Array | BigInt64Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
