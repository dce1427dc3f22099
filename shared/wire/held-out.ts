import { FlError } from '../core/errors.ts';
import { firstNonFinite } from '../core/finite.ts';
import { layoutOf, tensorOf } from '../core/params.ts';
import type { Samples } from '../core/samples.ts';
import { encodeSafetensors, parseSafetensors } from './safetensors.ts';

/** The largest class that float32 holds exactly, and every one below it. */
const largestClass = 2 ** 24;

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
    throw malformed('expected the two tensors x [n, ...] and y [n]');
  }
  const [n, ...shape] = x.shape;
  const isLabelled = (y.shape.length === 1 || y.shape.length === 2) && y.shape[0] === n;
  if (!isLabelled || x.size === 0 || y.size === 0) {
    throw malformed(`x is [${x.shape}] and y [${y.shape}]: expected as many labels as examples`);
  }
  const odd = firstNonFinite(values);
  if (odd >= 0) throw malformed(`value ${odd} is ${values[odd]}`);
  const [features, labels] = ['x', 'y'].map((name) => tensorOf({ layout, values }, name));
  if (y.shape.length === 2) return { x: features, y: labels, n, shape };
  const bad = labels.findIndex((label) => !Number.isInteger(label) || label < 0 || label > largestClass);
  if (bad >= 0) throw malformed(`label ${bad} is ${labels[bad]}, expected an integer from 0 to ${largestClass}`);
  return { x: features, y: Int32Array.from(labels), n, shape };
}

function malformed(what: string): FlError {
  return new FlError('held-out-malformed', what);
}
