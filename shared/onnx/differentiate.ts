import { FlError } from '../core/errors.ts';
import { describeNode, type Graph, type Node } from './graph.ts';
import type { BuiltNode, GraphBuilder } from './graph-builder.ts';
import { type Inferred, shapeContext } from './infer-shapes.ts';
import { ruleFor } from './rules/registry.ts';
import type { GradientContext } from './rules/rule.ts';

/** A forward graph that has been copied into a bigger one. */
export interface Forward {
  readonly graph: Graph;
  readonly inferred: Inferred;
  /** The copy of each of the graph's nodes. */
  readonly nodes: readonly BuiltNode[];
  /** What a value of the forward graph is called in the bigger one. */
  valueName(name: string): string;
}

/** The inputs of a node that can have a gradient. */
function differentiableInputs(node: Node, index: number): readonly string[] {
  const rule = ruleFor(node, index);
  if (!rule.gradients) return [];
  return node.inputs.filter((name, input) => name !== '' && (rule.differentiable?.(input, node) ?? true));
}

/** The names of all values that depend on one of `parameters` through operators that pass a gradient on. */
function dependents(graph: Graph, parameters: ReadonlySet<string>): ReadonlySet<string> {
  const reached = new Set(parameters);
  graph.nodes.forEach((node, index) => {
    if (!differentiableInputs(node, index).some((name) => reached.has(name))) return;
    for (const name of passingOutputs(node, index)) reached.add(name);
  });
  return reached;
}

/** The names of all values on which `value` depends through operators that pass a gradient on. */
export function ancestors(graph: Graph, value: string): ReadonlySet<string> {
  const reached = new Set([value]);
  for (let i = graph.nodes.length - 1; i >= 0; i--) {
    const node = graph.nodes[i];
    if (!passingOutputs(node, i).some((name) => reached.has(name))) continue;
    for (const name of differentiableInputs(node, i)) reached.add(name);
  }
  return reached;
}

/** The outputs of a node by which a gradient may come in. */
function passingOutputs(node: Node, index: number): readonly string[] {
  return ruleFor(node, index).manyOutputs ? node.outputs.filter((name) => name !== '') : node.outputs.slice(0, 1);
}

/**
 * Appends the reverse-mode derivative of a forward graph.
 * @param seed gradient of the objective with respect to the value `of`
 * @returns the gradient of each parameter that `of` depends on, by the parameter's name in the forward graph
 * @throws {FlError} `onnx-operator-unsupported` if a gradient would have to pass a second output
 */
export function differentiate(
  build: GraphBuilder,
  forward: Forward,
  { of, seed, parameters }: { of: string; seed: string; parameters: ReadonlySet<string> },
): ReadonlyMap<string, string> {
  const { graph, inferred, nodes } = forward;
  const wanted = dependents(graph, parameters);
  const gradients = new Map([[of, seed]]);
  for (let i = graph.nodes.length - 1; i >= 0; i--) {
    const node = graph.nodes[i];
    const rule = ruleFor(node, i);
    if (!rule.manyOutputs && node.outputs.slice(1).some((name) => gradients.has(name))) {
      throw new FlError(
        'onnx-operator-unsupported',
        `${describeNode(node, i)}: only its first output may be trained through`,
      );
    }
    const gradientOf = (output: number) => gradients.get(node.outputs[output] ?? '');
    const arrived = node.outputs.some((name) => gradients.has(name) && wanted.has(name));
    if (!arrived || !rule.gradients) continue;
    const context: GradientContext = {
      ...shapeContext(node, inferred),
      build,
      outputGradient: gradientOf(0) ?? '',
      gradientOf,
      input: (index) => forward.valueName(node.inputs[index]),
      output: (index) => outputOf(build, nodes[i], index),
      outputShape: (index = 0) => inferred.shapes.get(node.outputs[index]) ?? [],
      wants: (index) => wanted.has(node.inputs[index] ?? '') && (rule.differentiable?.(index, node) ?? true),
    };
    rule.gradients(context).forEach((gradient, index) => {
      const name = node.inputs[index];
      if (gradient === undefined || !wanted.has(name)) return;
      const sofar = gradients.get(name);
      gradients.set(name, sofar === undefined ? gradient : build.node('Add', [sofar, gradient]));
    });
  }
  return new Map([...parameters].flatMap((name) => (gradients.has(name) ? [[name, gradients.get(name) ?? '']] : [])));
}

function outputOf(build: GraphBuilder, node: BuiltNode, index: number): string {
  while (node.outputs.length <= index) node.outputs.push('');
  if (node.outputs[index] === '') node.outputs[index] = build.fresh(`${node.op}/out${index}`);
  return node.outputs[index];
}
