import { FlError } from '../../core/errors.ts';
import { describeNode, type Node } from '../graph.ts';
import { relu, sigmoid, tanh } from './activation.ts';
import { constant } from './constant.ts';
import { conv } from './conv.ts';
import { add, mul, sub } from './elementwise.ts';
import { gemm } from './gemm.ts';
import { identity } from './identity.ts';
import { matMul } from './mat-mul.ts';
import { maxPool } from './max-pool.ts';
import { flatten, reshape } from './reshape.ts';
import type { Rule } from './rule.ts';

/** Operators of the standard ONNX set that a model to be trained may use. */
export const supportedOps = [
  'Add',
  'Constant',
  'Conv',
  'Flatten',
  'Gemm',
  'Identity',
  'MatMul',
  'MaxPool',
  'Mul',
  'Relu',
  'Reshape',
  'Sigmoid',
  'Sub',
  'Tanh',
] as const;

export type SupportedOp = (typeof supportedOps)[number];

const rules = {
  Add: add,
  Constant: constant,
  Conv: conv,
  Flatten: flatten,
  Gemm: gemm,
  Identity: identity,
  MatMul: matMul,
  MaxPool: maxPool,
  Mul: mul,
  Relu: relu,
  Reshape: reshape,
  Sigmoid: sigmoid,
  Sub: sub,
  Tanh: tanh,
} satisfies Record<SupportedOp, Rule>;

/**
 * The rule for a node's operator.
 * @throws {FlError} `onnx-operator-unsupported`, naming the node
 */
export function ruleFor(node: Node, index?: number): Rule {
  if (node.domain === '' && isSupported(node.op)) return rules[node.op];
  throw new FlError(
    'onnx-operator-unsupported',
    `${describeNode(node, index)} cannot be trained through. Supported: ${supportedOps.join(', ')}. ` +
      'Export in training mode without operator fusion, or build the layer from these operators.',
  );
}

function isSupported(op: string): op is SupportedOp {
  return supportedOps.some((name) => name === op);
}
