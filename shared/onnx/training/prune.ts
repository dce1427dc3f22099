import type { Graph, Node } from '../graph.ts';

/** The graph without nodes and constants on which no output depends. Inputs stay. */
export function prune(graph: Graph): Graph {
  const needed = new Set(graph.outputs.map(({ name }) => name));
  const kept: Node[] = [];
  for (const node of graph.nodes.toReversed()) {
    if (!node.outputs.some((name) => needed.has(name))) continue;
    kept.push(node);
    for (const name of readsOf(node)) needed.add(name);
  }
  const initializers = new Map([...graph.initializers].filter(([name]) => needed.has(name)));
  return { ...graph, nodes: kept.reverse(), initializers };
}

/** What a node reads, its subgraphs included: those read names of the graph around them. */
function readsOf({ inputs, attributes }: Node): string[] {
  const inner = [...attributes.values()].flatMap((attribute) =>
    attribute.kind === 'graph'
      ? [...attribute.value.nodes.flatMap(readsOf), ...attribute.value.outputs.map(({ name }) => name)]
      : [],
  );
  return [...inputs, ...inner];
}
