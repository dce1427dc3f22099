import { FlError } from '../core/errors.ts';
import { type Attribute, describeNode, type Node } from './graph.ts';
import type { Tensor } from './tensor.ts';

/** @throws {FlError} `onnx-malformed` if the attribute is there but no integer */
export function intAttribute(node: Node, name: string, missing: number): number {
  const attribute = node.attributes.get(name);
  if (!attribute) return missing;
  return attribute.kind === 'int' ? attribute.value : mismatch(node, name, 'int', attribute);
}

/** @throws {FlError} `onnx-malformed` if the attribute is there but no float */
export function floatAttribute(node: Node, name: string, missing: number): number {
  const attribute = node.attributes.get(name);
  if (!attribute) return missing;
  return attribute.kind === 'float' ? attribute.value : mismatch(node, name, 'float', attribute);
}

/** @throws {FlError} `onnx-malformed` if the attribute is there but no list of integers */
export function intsAttribute(node: Node, name: string, missing: readonly number[]): readonly number[] {
  const attribute = node.attributes.get(name);
  if (!attribute) return missing;
  return attribute.kind === 'ints' ? attribute.value : mismatch(node, name, 'ints', attribute);
}

/** @throws {FlError} `onnx-malformed` if the attribute is there but no text */
export function stringAttribute(node: Node, name: string, missing: string): string {
  const attribute = node.attributes.get(name);
  if (!attribute) return missing;
  return attribute.kind === 'string' ? attribute.value : mismatch(node, name, 'string', attribute);
}

/** @throws {FlError} `onnx-malformed` if the attribute is there but no tensor */
export function tensorAttribute(node: Node, name: string): Tensor | undefined {
  const attribute = node.attributes.get(name);
  if (!attribute) return undefined;
  return attribute.kind === 'tensor' ? attribute.value : mismatch(node, name, 'tensor', attribute);
}

function mismatch(node: Node, name: string, expected: string, { kind }: Attribute): never {
  throw new FlError(
    'onnx-malformed',
    `${describeNode(node)}: attribute "${name}" is of kind ${kind}, expected ${expected}`,
  );
}
