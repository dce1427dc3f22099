import { FlError } from '../core/errors.ts';
import { layoutOf, tensorOf } from '../core/params.ts';
import type { Samples } from '../core/samples.ts';
import { encodeSafetensors, parseSafetensors } from './safetensors.ts';

/**
 * A labelled set as a safetensors file: `x` `[n, ...shape]` and `y`, both float32, as any framework reads them. Classes are `[n]`, and up
 * to 2^24 survive float32 exactly; values to regress on are `[n, outputs]`.
 */
export function encodeHeldOut({ x, y, n, shape }: Samples): Uint8Array {
  const layout = layoutOf([
    { name: 'x', shape: [n, ...shape] },
    { name: 'y', shape: y instanceof Float32Array ? [n, y.length / n] : [n] },
  ]);
  const values = new Float32Array(layout.size);
  const [features, labels] = layout.tensors;
  values.set(x.subarray(0, features.size), features.offset);
  values.set(y.subarray(0, labels.size), labels.offset);
  return encodeSafetensors({ layout, values });
}

/** @throws {FlError} `safetensors-malformed`, or `held-out-malformed` if it is no labelled set */
export function parseHeldOut(bytes: Uint8Array): Samples {
  const { layout, values } = parseSafetensors(bytes);
  const [x, y] = layout.tensors;
  if (layout.tensors.length !== 2 || x.name !== 'x' || y.name !== 'y') {
    throw new FlError('held-out-malformed', 'expected the two tensors x [n, ...] and y [n]');
  }
  const [n, ...shape] = x.shape;
  if (y.shape.length < 1 || y.shape.length > 2 || n === undefined || y.shape[0] !== n || n === 0) {
    throw new FlError(
      'held-out-malformed',
      `x is [${x.shape}] and y [${y.shape}]: expected as many labels as examples`,
    );
  }
  const labels = tensorOf({ layout, values }, 'y');
  if (y.shape.length === 2) return { x: tensorOf({ layout, values }, 'x'), y: labels, n, shape };
  const bad = labels.findIndex((label) => !Number.isInteger(label) || label < 0);
  if (bad >= 0) throw new FlError('held-out-malformed', `label ${bad} is ${labels[bad]}, expected an integer >= 0`);
  return { x: tensorOf({ layout, values }, 'x'), y: Int32Array.from(labels), n, shape };
}
