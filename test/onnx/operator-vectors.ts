import { readdirSync, readFileSync } from 'node:fs';
import type { Attribute } from '../../shared/onnx/graph.ts';
import { float32Tensor, int64Tensor, type Tensor } from '../../shared/onnx/tensor.ts';
import type { OneNode } from './gradient-graph.ts';

interface Values {
  readonly shape: readonly number[];
  readonly values: readonly number[];
}

/** One case of a vector file that a script in test/vectors/onnx/operators wrote. */
export interface OperatorVector {
  readonly op: string;
  readonly name: string;
  readonly opset: number;
  readonly batch: boolean;
  readonly attributes: Readonly<Record<string, Attribute>>;
  readonly inputs: readonly Values[];
  readonly constants: readonly (Values & { readonly type: 'int64' | 'bool' | 'float32' })[];
  readonly reads: readonly string[] | null;
  readonly makes: readonly boolean[];
  readonly seed: Values;
  readonly output: Values;
  readonly gradients: readonly Values[];
}

export interface VectorFile {
  readonly family: string;
  readonly origin: { readonly by: string };
  readonly cases: readonly OperatorVector[];
}

/** Every vector file, in order of name. */
export function operatorVectors(): readonly VectorFile[] {
  const folder = new URL('../vectors/onnx/operators/', import.meta.url);
  return readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .sort()
    .map((name) => ({
      family: name.replace('.json', ''),
      ...JSON.parse(readFileSync(new URL(name, folder), 'utf8')),
    }));
}

/** The node that a case tests. */
export function nodeOf(vector: OperatorVector): OneNode {
  return {
    op: vector.op,
    attributes: vector.attributes,
    shapes: vector.inputs.map(({ shape }) => shape),
    constants: vector.constants.map(constantOf),
    reads: vector.reads ?? undefined,
    makes: vector.makes,
  };
}

function constantOf({ type, shape, values }: OperatorVector['constants'][number]): Tensor {
  if (type === 'float32') return float32Tensor(Float32Array.from(values), shape);
  if (type === 'int64') return int64Tensor(values, shape);
  return { type, dims: shape, data: Uint8Array.from(values) };
}
