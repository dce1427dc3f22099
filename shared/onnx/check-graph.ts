import { FlError } from '../core/errors.ts';
import { describeNode, type Graph } from './graph.ts';

interface Scope {
  has(name: string): boolean;
}

/**
 * Checks that each value has one maker and that every read comes after it, in subgraphs too.
 * @param outer names that an enclosing graph lends to this one
 * @throws {FlError} `onnx-malformed`
 */
export function checkGraph(graph: Graph, outer: Scope = { has: () => false }): void {
  const made = new Set<string>();
  const make = (name: string, where: string) => {
    if (made.has(name) || outer.has(name)) throw malformed(`${where} makes "${name}", which is made before`);
    made.add(name);
  };
  for (const { name } of graph.inputs) make(name, 'a graph input');
  for (const name of graph.initializers.keys()) make(name, 'an initializer');
  graph.nodes.forEach((node, index) => {
    const where = describeNode(node, index);
    if (node.op === '') throw malformed(`${where} names no operator`);
    if (node.outputs.every((name) => name === '')) throw malformed(`${where} has no output`);
    for (const name of node.inputs) {
      if (name !== '' && !made.has(name) && !outer.has(name))
        throw malformed(`${where} reads "${name}", which nothing makes`);
    }
    for (const attribute of node.attributes.values()) {
      if (attribute.kind === 'graph') checkGraph(attribute.value, { has: (name) => made.has(name) || outer.has(name) });
    }
    for (const name of node.outputs) if (name !== '') make(name, where);
  });
  if (graph.outputs.length === 0) throw malformed('the graph has no output');
  for (const { name } of graph.outputs) {
    if (!made.has(name) && !outer.has(name)) throw malformed(`graph output "${name}" is made by nothing`);
  }
}

function malformed(what: string): FlError {
  return new FlError('onnx-malformed', what);
}
