import { FlError } from '../../core/errors.ts';
import { describeNode, type Node } from '../graph.ts';
import { adviceFor } from './advice.ts';
import { operators, type SupportedOp } from './operators.ts';
import type { Rule } from './rule.ts';

/** Operators of the standard ONNX set that a model to be trained may use, by name. */
export const supportedOps: readonly SupportedOp[] = Object.keys(operators).filter(isSupported).sort();

/**
 * The rule for a node's operator.
 * @throws {FlError} `onnx-operator-unsupported`, naming the node
 */
export function ruleFor(node: Node, index?: number): Rule {
  if (node.domain === '' && isSupported(node.op)) return operators[node.op].rule;
  throw new FlError(
    'onnx-operator-unsupported',
    `${describeNode(node, index)} cannot be trained through. ${adviceFor(node)} Supported: ${supportedOps.join(', ')}.`,
  );
}

function isSupported(op: string): op is SupportedOp {
  return Object.hasOwn(operators, op);
}
