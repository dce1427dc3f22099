import type { Forward } from '../differentiate.ts';
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
    const inputs = node.inputs.map(valueName);
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
