/** Size of one axis; `batch` stands for the number of examples, which a graph leaves open, `batch*k` for k times as many. */
export type Dimension = number | 'batch' | `batch*${number}`;
export type Shape = readonly Dimension[];

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((dimension, axis) => dimension === b[axis]);
}

/** The shape of an elementwise result (ONNX multidirectional broadcasting), or undefined if the two do not go together. */
export function broadcast(a: Shape, b: Shape): Shape | undefined {
  const rank = Math.max(a.length, b.length);
  const result: Dimension[] = [];
  for (let axis = 0; axis < rank; axis++) {
    const x = a[axis - rank + a.length] ?? 1;
    const y = b[axis - rank + b.length] ?? 1;
    if (x !== y && x !== 1 && y !== 1) return undefined;
    result.push(x === 1 ? y : x);
  }
  return result;
}

/** Number of elements of an all-fixed shape, or undefined where the batch is part of it. */
export function fixedSize(shape: Shape): number | undefined {
  const size = sizeOf(shape);
  return typeof size === 'number' ? size : undefined;
}

/** Number of elements, or undefined where the batch is part of it more than once. */
export function sizeOf(shape: Shape): Dimension | undefined {
  let size: Dimension | undefined = 1;
  for (const dimension of shape) size = size === undefined ? undefined : times(size, dimension);
  return size;
}

/** a * b, or undefined if that is no multiple of the batch. */
export function times(a: Dimension, b: Dimension): Dimension | undefined {
  if (typeof a === 'number' && typeof b === 'number') return a * b;
  const product = multipleOf(a) * multipleOf(b);
  if (product === 0) return 0;
  return typeof a === 'number' || typeof b === 'number' ? batches(product) : undefined;
}

/** a / b where it comes out even for every batch, or undefined. */
export function over(a: Dimension, b: Dimension): Dimension | undefined {
  const quotient = multipleOf(a) / multipleOf(b);
  if (!Number.isSafeInteger(quotient)) return undefined;
  if (typeof a === 'number') return typeof b === 'number' ? quotient : undefined;
  return typeof b === 'number' ? batches(quotient) : quotient;
}

/** The size of a fixed dimension, or how many batches an open one is. */
export function multipleOf(dimension: Dimension): number {
  if (typeof dimension === 'number') return dimension;
  return dimension === 'batch' ? 1 : Number(dimension.slice('batch*'.length));
}

function batches(count: number): Dimension {
  return count === 1 ? 'batch' : `batch*${count}`;
}

/** An axis counted from the front, or undefined if there is no such axis. */
export function axisOf(axis: number, rank: number): number | undefined {
  const counted = axis < 0 ? axis + rank : axis;
  return Number.isInteger(counted) && counted >= 0 && counted < rank ? counted : undefined;
}
