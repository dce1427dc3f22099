import { FlError } from '../../core/errors.ts';
import { describeNode, type Node } from '../graph.ts';
import type { GraphBuilder } from '../graph-builder.ts';
import type { Shape } from '../shape.ts';
import type { Tensor } from '../tensor.ts';

/** What a rule sees of a forward node while shapes are inferred. */
export interface ShapeContext {
  readonly node: Node;
  /** Shape of an input. @throws {FlError} `onnx-malformed` if the node leaves it out */
  shape(input: number): Shape;
  /** Value of an input that is the same in every run, or undefined. Trainable parameters are not constant. */
  constant(input: number): Tensor | undefined;
}

/** What a rule sees of a forward node while its gradient is built. */
export interface GradientContext extends ShapeContext {
  readonly build: GraphBuilder;
  /** Gradient of the node's first output, of that output's shape. */
  readonly outputGradient: string;
  /** Name of an input in the graph being built. */
  input(index: number): string;
  /** Name of an output in the graph being built; an optional output is added to the forward node if need be. */
  output(index: number): string;
  /** Shape of the node's first output. */
  outputShape(): Shape;
  /** Whether anything trainable lies behind the input: a gradient that nobody wants need not be built. */
  wants(input: number): boolean;
}

/** What Tributary knows of one operator. */
export interface Rule {
  /** Shapes of the outputs. @throws {FlError} if the inputs do not fit, or for a variant that is not supported */
  outputShapes(context: ShapeContext): readonly Shape[];
  /** Appends the nodes of the inputs' gradients and names them, undefined where none is wanted. Absent: no gradient passes. */
  gradients?(context: GradientContext): readonly (string | undefined)[];
}

/** The node's inputs do not fit its operator. */
export function illFitting(node: Node, what: string): FlError {
  return new FlError('onnx-shape', `${describeNode(node)}: ${what}`);
}

/** A variant of a known operator that has no rule. */
export function unsupportedVariant(node: Node, what: string, advice: string): FlError {
  return new FlError('onnx-operator-unsupported', `${describeNode(node)}: ${what} is not supported. ${advice}`);
}
