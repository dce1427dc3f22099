import type { InferenceSession, Tensor } from 'onnxruntime-common';
import { FlError } from '../../core/errors.ts';
import type { Samples } from '../../core/samples.ts';
import { inputNames, outputNames } from '../training/names.ts';
import type { OnnxRuntime, Tensors } from './runtime.ts';

/** Examples as a session's inputs X and, where it has one, Y. */
export interface ExampleFeeds {
  /** Examples `first` to `end`, without a copy where the graph takes them as they lie. */
  slice(first: number, end: number): Tensors;
  /** The examples of these rows, in new memory. */
  pick(rows: Uint32Array): Tensors;
}

/** Whether a loss leaves examples out, and so takes negative labels: its evaluation graph counts the others. */
export function ignoresLabels(evaluate: InferenceSession): boolean {
  return evaluate.outputNames.includes(outputNames.counted);
}

/**
 * Gives examples the types that a training or evaluation graph declares.
 * @param ignores whether a label may be negative
 * @throws {FlError} `samples-invalid` if the examples have another shape than the model takes, the labels are not what its loss wants, or the features are no integers where it takes integers
 */
export function exampleFeeds(
  ort: OnnxRuntime,
  session: InferenceSession,
  samples: Samples,
  ignores: boolean,
): ExampleFeeds {
  const { x, n, shape } = samples;
  const typeOf = (name: string) => session.inputMetadata.find((value) => value.name === name);
  const declared = typeOf(inputNames.features);
  const features = column(ort, declared, x, declared?.isTensor ? fitted(shape, declared.shape) : shape, n, 'features');
  const labels = labelColumn(ort, session, samples, ignores);
  const named = (feature: Tensor, label: Tensor | undefined): Tensors =>
    label ? { [inputNames.features]: feature, [inputNames.labels]: label } : { [inputNames.features]: feature };
  return {
    slice: (first, end) => named(features.slice(first, end), labels?.slice(first, end)),
    pick: (rows) => named(features.pick(rows), labels?.pick(rows)),
  };
}

/**
 * The shape that examples are given to a graph in: flat examples, and axes of size 1, take the form that the model declares.
 * @param declared the model's, with the batch axis
 */
function fitted(shape: readonly number[], declared: readonly (number | string)[]): readonly number[] {
  const wanted = declared.slice(1).map(Number);
  if (declared.length === 0 || wanted.some((side) => !Number.isSafeInteger(side))) return shape;
  const misfit = shapeMisfit(shape, wanted);
  if (misfit) throw new FlError('samples-invalid', misfit);
  return wanted;
}

/** Why a model of examples [wanted] cannot take examples of shape [shape], or undefined if it can. */
export function shapeMisfit(shape: readonly number[], wanted: readonly number[]): string | undefined {
  const size = (sides: readonly number[]) => sides.reduce((product, side) => product * side, 1);
  const proper = (sides: readonly number[]) => sides.filter((side) => side !== 1).join();
  const alike = proper(shape) === proper(wanted) || shape.length <= 1 || wanted.length <= 1;
  if (alike && size(shape) === size(wanted)) return undefined;
  return `the model takes examples of shape [${wanted}], the data have [${shape}]`;
}

interface Column {
  slice(first: number, end: number): Tensor;
  pick(rows: Uint32Array): Tensor;
}

function labelColumn(
  ort: OnnxRuntime,
  session: InferenceSession,
  { y, n }: Samples,
  ignores: boolean,
): Column | undefined {
  const declared = session.inputMetadata.find(({ name }) => name === inputNames.labels);
  if (!declared?.isTensor) return undefined;
  if (declared.type === 'int64') {
    if (y instanceof Float32Array || y.length !== n) {
      throw new FlError(
        'samples-invalid',
        'the loss takes one class for each example, the examples have values to regress on',
      );
    }
    const negative = ignores ? -1 : y.findIndex((label) => label < 0);
    if (negative >= 0) throw new FlError('samples-invalid', `label ${y[negative]} of example ${negative} is negative`);
    return column(ort, declared, y, [], n, 'labels');
  }
  const [, outputs] = declared.shape;
  if (typeof outputs === 'number' && y.length !== n * outputs) {
    const found = `${y.length} values for ${n} examples`;
    throw new FlError('samples-invalid', `the loss takes ${outputs} values for each example, the labels have ${found}`);
  }
  return column(ort, declared, y, [y.length / n], n, 'labels');
}

function column(
  ort: OnnxRuntime,
  declared: InferenceSession.ValueMetadata | undefined,
  source: Float32Array | Int32Array,
  shape: readonly number[],
  n: number,
  what: string,
): Column {
  const width = source.length / n;
  const whole = declared?.isTensor === true && declared.type === 'int64';
  if (whole && source instanceof Float32Array) {
    const bad = source.findIndex((value) => !Number.isInteger(value));
    if (bad >= 0) throw new FlError('samples-invalid', `the model takes integers, the ${what} have ${source[bad]}`);
  }
  const tensor = (values: Float32Array | Int32Array, count: number) => {
    const dims = [count, ...shape];
    if (whole) return new ort.Tensor('int64', BigInt64Array.from(values, BigInt), dims);
    return new ort.Tensor('float32', values instanceof Float32Array ? values : Float32Array.from(values), dims);
  };
  return {
    slice: (first, end) => tensor(source.subarray(first * width, end * width), end - first),
    pick(rows) {
      const picked =
        source instanceof Float32Array ? new Float32Array(rows.length * width) : new Int32Array(rows.length * width);
      rows.forEach((row, i) => {
        picked.set(source.subarray(row * width, (row + 1) * width), i * width);
      });
      return tensor(picked, rows.length);
    },
  };
}
