import { ancestors } from '../differentiate.ts';
import type { Graph, Node } from '../graph.ts';
import { inferenceMode } from '../running-statistics.ts';
import { matchesPattern } from './training-spec.ts';

/** A forward graph in the two ways that it is computed. */
export interface Modes {
  /** As it is trained: BatchNormalization as the file says, but by its running statistics where these are frozen. */
  readonly training: Graph;
  /** As it is used: BatchNormalization by its running statistics, Dropout as the identity. */
  readonly inference: Graph;
}

export function modesOf(graph: Graph, freeze: readonly string[]): Modes {
  const plain = { ...graph, nodes: graph.nodes.map((node) => withoutUnreadMask(node, graph)) };
  const isFrozen = (name: string) => freeze.some((pattern) => matchesPattern(pattern, name));
  const inference = inferenceMode(plain);
  const training = {
    ...plain,
    nodes: plain.nodes.map((node, index) =>
      node.op === 'BatchNormalization' && node.inputs.slice(3, 5).some(isFrozen) ? inference.nodes[index] : node,
    ),
  };
  return { training, inference };
}

/** The running means and variances that training updates. */
export function runningStatistics(graph: Graph, scores: string): readonly string[] {
  const reached = ancestors(graph, scores);
  const nodes = graph.nodes.filter((node) => reached.has(node.outputs[0]) && normalisesByBatch(node));
  return [...new Set(nodes.flatMap(({ inputs }) => inputs.slice(3, 5)))].filter((name) => graph.initializers.has(name));
}

/** True if using the graph is another computation than training it. */
export function differs({ training, inference }: Modes): boolean {
  return training.nodes.some((node, index) => node.op !== inference.nodes[index].op || normalisesByBatch(node));
}

function normalisesByBatch({ op, domain, attributes }: Node): boolean {
  return domain === '' && op === 'BatchNormalization' && attributes.get('training_mode')?.value === 1;
}

/** PyTorch names Dropout's mask though nothing reads it. */
function withoutUnreadMask(node: Node, graph: Graph): Node {
  if (node.op !== 'Dropout' || node.domain !== '' || node.outputs.length < 2) return node;
  const mask = node.outputs[1];
  const isRead =
    graph.nodes.some(({ inputs }) => inputs.includes(mask)) || graph.outputs.some(({ name }) => name === mask);
  return isRead ? node : { ...node, outputs: node.outputs.slice(0, 1) };
}
