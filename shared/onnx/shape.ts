/** Size of one axis; `batch` stands for the number of examples, which a graph leaves open. */
export type Dimension = number | 'batch';
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
  let size = 1;
  for (const dimension of shape) {
    if (dimension === 'batch') return undefined;
    size *= dimension;
  }
  return size;
}
