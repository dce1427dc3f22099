import { FlError } from '../../core/errors.ts';
import { tensorAttribute } from '../attributes.ts';
import { describeNode, type Node } from '../graph.ts';
import { float32Tensor, int64Tensor, type Tensor } from '../tensor.ts';
import type { Rule } from './rule.ts';

/** A value written into the graph. No gradient passes. */
export const constant: Rule = { outputShapes: ({ node }) => [constantValue(node).dims] };

/**
 * The value of a Constant node.
 * @throws {FlError} `onnx-operator-unsupported` if it is text or sparse
 */
export function constantValue(node: Node): Tensor {
  const tensor = tensorAttribute(node, 'value');
  if (tensor) return tensor;
  for (const [name, attribute] of node.attributes) {
    if (name === 'value_float' && attribute.kind === 'float')
      return float32Tensor(Float32Array.of(attribute.value), []);
    if (name === 'value_floats' && attribute.kind === 'floats') {
      return float32Tensor(Float32Array.from(attribute.value), [attribute.value.length]);
    }
    if (name === 'value_int' && attribute.kind === 'int') return int64Tensor([attribute.value], []);
    if (name === 'value_ints' && attribute.kind === 'ints') return int64Tensor(attribute.value);
  }
  throw new FlError(
    'onnx-operator-unsupported',
    `${describeNode(node)}: only numbers are supported. Store them as an initializer.`,
  );
}
