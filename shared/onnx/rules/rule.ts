import { FlError } from '../../core/errors.ts';
import { describeNode, type Node } from '../graph.ts';
import type { GraphBuilder } from '../graph-builder.ts';
import type { Known } from '../known.ts';
import type { Shape } from '../shape.ts';
import type { Tensor } from '../tensor.ts';

/** What a rule sees of a forward node while shapes are inferred. */
export interface ShapeContext {
  readonly node: Node;
  /** Shape of an input. @throws {FlError} `onnx-shape` if the node leaves it out */
  shape(input: number): Shape;
  /** Whether the node has the input, which may be optional. */
  has(input: number): boolean;
  /** Value of an input that is the same in every run, or undefined. Trainable parameters are not constant. */
  constant(input: number): Tensor | undefined;
  /** Integers of an input that follow from shapes and constants, or undefined. */
  known(input: number): Known | undefined;
}

/** What a rule sees of a forward node while its gradient is built. */
export interface GradientContext extends ShapeContext {
  readonly build: GraphBuilder;
  /** Gradient of the node's first output, of that output's shape. Rules of many outputs ask `gradientOf`. */
  readonly outputGradient: string;
  /** Gradient of an output, or undefined if nothing trained depends on it. */
  gradientOf(output: number): string | undefined;
  /** Name of an input in the graph being built. */
  input(index: number): string;
  /** Name of an output in the graph being built; an optional output is added to the forward node if need be. */
  output(index: number): string;
  /** Shape of an output, the first unless told otherwise. */
  outputShape(index?: number): Shape;
  /** Whether anything trainable lies behind the input: a gradient that nobody wants need not be built. */
  wants(input: number): boolean;
}

/** What Tributary knows of one operator. */
export interface Rule {
  /** Shapes of the outputs. @throws {FlError} if the inputs do not fit, or for a variant that is not supported */
  outputShapes(context: ShapeContext): readonly Shape[];
  /** The first output's integers, where the inputs' are known. */
  known?(context: ShapeContext): Known | undefined;
  /** Appends the nodes of the inputs' gradients and names them, undefined where none is wanted. Absent: no gradient passes. */
  gradients?(context: GradientContext): readonly (string | undefined)[];
  /** Whether an input can have a gradient; absent: each can. Indices, bounds and statistics cannot. */
  differentiable?(input: number, node: Node): boolean;
  /** Whether a gradient may come in by outputs other than the first. */
  readonly manyOutputs?: boolean;
}

/** Only the first input can have a gradient. */
export const firstInput = (input: number): boolean => input === 0;

/** The node's inputs do not fit its operator. */
export function illFitting(node: Node, what: string): FlError {
  return new FlError('onnx-shape', `${describeNode(node)}: ${what}`);
}

/** Longer lists of constants slow a device down more than they help, and the longest would not fit this one. */
const mostConstants = 2 ** 24;

/** @throws {FlError} `onnx-operator-unsupported` if writing the node's gradient or its other form takes too many constants */
export function requireFewConstants(node: Node, count: number): void {
  if (count <= mostConstants) return;
  throw unsupportedVariant(node, `a list of ${count} constants`, `At most ${mostConstants} can be trained.`);
}

/** A variant of a known operator that has no rule. */
export function unsupportedVariant(node: Node, what: string, advice: string): FlError {
  return new FlError('onnx-operator-unsupported', `${describeNode(node)}: ${what} is not supported. ${advice}`);
}
