import type { Attribute, Graph, Node, ValueInfo } from './graph.ts';
import { type ElementType, float32Tensor, int64Tensor, type Tensor } from './tensor.ts';

/** A node whose unused optional outputs can still be asked for while the graph grows. */
export interface BuiltNode extends Node {
  readonly inputs: string[];
  readonly outputs: string[];
}

/** Collects nodes in the order of their making and keeps value names apart. */
export class GraphBuilder {
  readonly #nodes: BuiltNode[] = [];
  readonly #initializers = new Map<string, Tensor>();
  readonly #inputs: ValueInfo[] = [];
  readonly #outputs: ValueInfo[] = [];
  readonly #names = new Set<string>();
  readonly #renamed = new Map<string, string>();
  readonly #constants = new Map<string, string>();
  readonly #makers = new Map<string, BuiltNode>();
  readonly #reads = new Map<string, number>();
  readonly #counters = new Map<string, number>();

  readonly #scope: string;

  /** @param scope starts every fresh name: a subgraph must not make the names of the graph around it */
  constructor(scope = '') {
    this.#scope = scope;
  }

  /** A name not used before: `hint`, or `hint` with a number. */
  fresh(hint: string): string {
    const wanted = `${this.#scope}${hint}`;
    let name = wanted;
    let count = this.#counters.get(wanted) ?? 1;
    while (this.#names.has(name)) name = `${wanted}.${++count}`;
    this.#counters.set(wanted, count);
    this.#names.add(name);
    return name;
  }

  /** Declares an input whose name is fresh or reserved. */
  input(name: string, type: ElementType, dims: readonly (number | string)[]): string {
    this.#inputs.push({ name, type, dims });
    return name;
  }

  /** Keeps a name from being handed out as fresh. @throws {RangeError} if the name is taken */
  reserve(name: string): void {
    if (this.#names.has(name)) throw new RangeError(`graph: the name "${name}" is taken`);
    this.#names.add(name);
  }

  /** Makes `value` an output called `name`, which is fresh or reserved. */
  output(value: string, name: string, type: ElementType, dims?: readonly (number | string)[]): void {
    const renamable = this.#makers.has(value) && !this.#renamed.has(value);
    if (renamable) this.#renamed.set(value, name);
    else this.emit('Identity', [value], [name]);
    this.#outputs.push({ name, type, dims });
  }

  /** A constant, called `hint` or something like it. */
  constant(hint: string, tensor: Tensor): string {
    const name = this.fresh(hint);
    this.#initializers.set(name, tensor);
    return name;
  }

  /** An int64 vector constant, shared by all who ask for the same values. */
  ints(values: readonly number[]): string {
    return this.#shared(`ints/${values.join(',')}`, () => int64Tensor(values));
  }

  /** An int64 scalar constant. */
  int(value: number): string {
    return this.#shared(`int/${value}`, () => int64Tensor([value], []));
  }

  /** A float32 vector constant. */
  floats(values: readonly number[]): string {
    return this.#shared(`floats/${values.join(',')}`, () => float32Tensor(Float32Array.from(values), [values.length]));
  }

  /** A float32 scalar constant. */
  float(value: number): string {
    return this.#shared(`float/${value}`, () => float32Tensor(Float32Array.of(value), []));
  }

  #shared(key: string, make: () => Tensor): string {
    const known = this.#constants.get(key);
    if (known !== undefined) return known;
    const name = this.constant(`constant/${key}`, make());
    this.#constants.set(key, name);
    return name;
  }

  /** Appends a node with one output and returns the output's name. */
  node(op: string, inputs: readonly string[], attributes: Readonly<Record<string, Attribute>> = {}, hint = op): string {
    const output = this.fresh(`${hint}/out`);
    this.emit(op, inputs, [output], new Map(Object.entries(attributes)));
    return output;
  }

  /** Appends a node whose output names are taken or reserved already. */
  emit(
    op: string,
    inputs: readonly string[],
    outputs: readonly string[],
    attributes: ReadonlyMap<string, Attribute> = new Map(),
    name = '',
  ): BuiltNode {
    const node = { op, domain: '', name, inputs: [...inputs], outputs: [...outputs], attributes };
    this.#nodes.push(node);
    for (const output of outputs) this.#makers.set(output, node);
    for (const input of inputs) this.#reads.set(input, this.readersOf(input) + 1);
    return node;
  }

  /** The node that makes a value, if a node does. */
  makerOf(value: string): BuiltNode | undefined {
    return this.#makers.get(value);
  }

  /** How many inputs of nodes read a value. */
  readersOf(value: string): number {
    return this.#reads.get(value) ?? 0;
  }

  /** The graph so far. */
  graph(name: string): Graph {
    const final = (value: string) => this.#renamed.get(value) ?? value;
    return {
      name,
      inputs: [...this.#inputs],
      outputs: [...this.#outputs],
      initializers: new Map(this.#initializers),
      nodes: this.#nodes.map((node) => ({ ...node, inputs: node.inputs.map(final), outputs: node.outputs.map(final) })),
    };
  }
}

export const int = (value: number): Attribute => ({ kind: 'int', value });
export const ints = (value: readonly number[]): Attribute => ({ kind: 'ints', value });
export const float = (value: number): Attribute => ({ kind: 'float', value });
export const text = (value: string): Attribute => ({ kind: 'string', value });
