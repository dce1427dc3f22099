/** Where one tensor of a model lies in the flat parameter vector; `offset` and `size` count float32 elements. */
export interface TensorSpec {
  readonly name: string;
  readonly shape: readonly number[];
  readonly offset: number;
  readonly size: number;
}

/** The order and place of every tensor of a model. `size` is P, the number of float32 parameters. */
export interface Layout {
  readonly tensors: readonly TensorSpec[];
  readonly size: number;
}

/** A model's parameters: one flat vector, shape `[layout.size]`, and what lies where in it. */
export interface Params {
  readonly layout: Layout;
  readonly values: Float32Array;
}

/**
 * Lays tensors out one after the other, sorted by name (UTF-16 code units), without padding.
 * @throws {RangeError} on a duplicate or empty name, or a dimension that is not a non-negative integer
 */
export function layoutOf(tensors: Iterable<{ readonly name: string; readonly shape: readonly number[] }>): Layout {
  const sorted = [...tensors].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  const placed: TensorSpec[] = [];
  let offset = 0;
  for (const { name, shape } of sorted) {
    if (name === '') throw new RangeError('layout: a tensor has an empty name');
    if (placed.at(-1)?.name === name) throw new RangeError(`layout: tensor "${name}" appears twice`);
    const size = elementCount(name, shape);
    placed.push({ name, shape: [...shape], offset, size });
    offset += size;
  }
  return { tensors: placed, size: offset };
}

/** The tensor's values: a view into `params.values`, never a copy. */
export function tensorOf({ layout, values }: Params, name: string): Float32Array {
  const spec = layout.tensors.find((tensor) => tensor.name === name);
  if (!spec) throw new RangeError(`params: no tensor "${name}" in the layout`);
  return values.subarray(spec.offset, spec.offset + spec.size);
}

/** True if both lay the same tensors at the same places. */
export function sameLayout(a: Layout, b: Layout): boolean {
  return (
    a.size === b.size &&
    a.tensors.length === b.tensors.length &&
    a.tensors.every((tensor, i) => {
      const other = b.tensors[i];
      return (
        tensor.name === other.name &&
        tensor.offset === other.offset &&
        tensor.shape.length === other.shape.length &&
        tensor.shape.every((dimension, axis) => dimension === other.shape[axis])
      );
    })
  );
}

function elementCount(name: string, shape: readonly number[]): number {
  let count = 1;
  for (const dimension of shape) {
    if (!Number.isSafeInteger(dimension) || dimension < 0) {
      throw new RangeError(`layout: tensor "${name}" has dimension ${dimension}, expected an integer >= 0`);
    }
    count *= dimension;
    if (!Number.isSafeInteger(count)) throw new RangeError(`layout: tensor "${name}" is too large: [${shape}]`);
  }
  return count;
}
