import type { Forward } from '../differentiate.ts';
import type { Node } from '../graph.ts';
import type { GraphBuilder } from '../graph-builder.ts';
import type { Trainable } from './trainable.ts';

/**
 * Copies a model's forward pass into a bigger graph.
 * @param bound names in the bigger graph of the model's input and of each trainable parameter, by their names in the model
 */
export function appendForward(
  build: GraphBuilder,
  model: Pick<Trainable, 'graph' | 'inferred'>,
  bound: ReadonlyMap<string, string>,
): Forward {
  const names = new Map(bound);
  const { graph, inferred } = model;
  for (const [name, tensor] of graph.initializers) {
    if (!names.has(name)) names.set(name, build.constant(`forward/${name}`, tensor));
  }
  const valueName = (name: string) => names.get(name) ?? '';
  const nodes = graph.nodes.map((node) => {
    const inputs = withScratch(build, node, node.inputs.map(valueName));
    const outputs = node.outputs.map((name) => {
      if (name === '') return '';
      const copy = build.fresh(`forward/${name}`);
      names.set(name, copy);
      return copy;
    });
    return build.emit(node.op, inputs, outputs, node.attributes, node.name);
  });
  return { graph, inferred, nodes, valueName };
}

/**
 * onnxruntime's BatchNormalization writes the running statistics of a training run over those that it reads. It does not use them otherwise,
 * so it gets memory of its own.
 */
function withScratch(
  build: GraphBuilder,
  { domain, op, attributes }: Node,
  inputs: readonly string[],
): readonly string[] {
  if (domain !== '' || op !== 'BatchNormalization' || attributes.get('training_mode')?.value !== 1) return inputs;
  return inputs.map((name, index) => (index < 3 ? name : build.node('Sub', [name, name], {}, 'scratch')));
}
