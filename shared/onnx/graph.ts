import type { ElementType, Tensor } from './tensor.ts';

/** One attribute of a node, tagged with its kind. */
export type Attribute =
  | { readonly kind: 'float' | 'int'; readonly value: number }
  | { readonly kind: 'floats' | 'ints'; readonly value: readonly number[] }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'strings'; readonly value: readonly string[] }
  | { readonly kind: 'tensor'; readonly value: Tensor }
  | { readonly kind: 'graph'; readonly value: Graph };

/** One operator call. An empty input name is an optional input left out; `domain` is `''` for the standard operators. */
export interface Node {
  readonly op: string;
  readonly domain: string;
  readonly name: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: ReadonlyMap<string, Attribute>;
}

/** Name and type of a graph's input or output. A dimension is a size or a name; `dims` is undefined where the rank is unknown. */
export interface ValueInfo {
  readonly name: string;
  readonly type: ElementType;
  readonly dims: readonly (number | string)[] | undefined;
}

/** Nodes in an order in which every input is made before it is read. */
export interface Graph {
  readonly name: string;
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
  readonly initializers: ReadonlyMap<string, Tensor>;
  readonly nodes: readonly Node[];
}

/** A graph and the version of the standard operator set that its nodes mean. */
export interface Model {
  readonly opset: number;
  readonly graph: Graph;
}

/** How an error names a node: its path if the model gives one, else its place, and its operator. */
export function describeNode(node: Node, index?: number): string {
  const place = node.name !== '' ? `"${node.name}"` : index === undefined ? `of "${node.outputs[0]}"` : `#${index}`;
  return `node ${place} (${node.domain === '' ? '' : `${node.domain}.`}${node.op})`;
}
