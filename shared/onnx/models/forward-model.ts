import type { Graph } from '../graph.ts';
import { type GraphBuilder, int } from '../graph-builder.ts';
import { serializeModel } from '../serialize-model.ts';
import { float32Tensor } from '../tensor.ts';

/** The operator set that our own models are written in, unless they need a newer one. */
const usualOpset = 18;

/** A parameter of one value, zero unless told otherwise, under its readable name; `initialParams` makes starting values. */
export function parameter(build: GraphBuilder, name: string, shape: readonly number[], value = 0): string {
  const size = shape.reduce((product, dimension) => product * dimension, 1);
  return build.constant(name, float32Tensor(new Float32Array(size).fill(value), shape));
}

/** x [batch, inputs] -> [batch, outputs] with a weight of [outputs, inputs], PyTorch's order. */
export function dense(build: GraphBuilder, name: string, x: string, inputs: number, outputs: number): string {
  const weight = parameter(build, `${name}.weight`, [outputs, inputs]);
  const bias = parameter(build, `${name}.bias`, [outputs]);
  return build.node('Gemm', [x, weight, bias], { transB: int(1) }, name);
}

/** ONNX bytes of a finished forward graph. */
export function forwardModel(graph: Graph, opset = usualOpset): Uint8Array {
  return serializeModel({ opset, graph });
}

/** @throws {RangeError} unless each is an integer of 1 or more */
export function requireSizes(sizes: Readonly<Record<string, number>>): void {
  for (const [name, size] of Object.entries(sizes)) {
    if (!Number.isSafeInteger(size) || size < 1) throw new RangeError(`${name}: expected an integer >= 1, got ${size}`);
  }
}
