import * as ort from 'onnxruntime-node';
import { differentiate } from '../../shared/onnx/differentiate.ts';
import type { Attribute, Graph } from '../../shared/onnx/graph.ts';
import { GraphBuilder } from '../../shared/onnx/graph-builder.ts';
import { inferShapes } from '../../shared/onnx/infer-shapes.ts';
import { serializeModel } from '../../shared/onnx/serialize-model.ts';
import { float32Tensor, int64Tensor } from '../../shared/onnx/tensor.ts';
import { appendForward } from '../../shared/onnx/training/append-forward.ts';

/** One operator under test: its trainable inputs' shapes, then its constant int64 inputs. */
export interface OneNode {
  readonly op: string;
  readonly attributes: Readonly<Record<string, Attribute>>;
  readonly shapes: readonly (readonly number[])[];
  readonly constants?: readonly (readonly number[])[];
}

/** The operator and its derivative on onnxruntime: values and output gradient in, output and input gradients out. */
export class GradientGraph {
  readonly outputShape: readonly number[];
  readonly #session: ort.InferenceSession;
  readonly #shapes: readonly (readonly number[])[];

  private constructor(
    session: ort.InferenceSession,
    shapes: readonly (readonly number[])[],
    outputShape: readonly number[],
  ) {
    this.#session = session;
    this.#shapes = shapes;
    this.outputShape = outputShape;
  }

  static async of({ op, attributes, shapes, constants = [] }: OneNode, opset = 18): Promise<GradientGraph> {
    const inputs = shapes.map((_, i) => `input${i}`);
    const others = constants.map((_, i) => `constant${i}`);
    const graph: Graph = {
      name: op,
      inputs: [],
      outputs: [{ name: 'y', type: 'float32', dims: undefined }],
      initializers: new Map([
        ...shapes.map((dims, i) => [inputs[i], float32Tensor(new Float32Array(size(dims)), dims)] as const),
        ...constants.map((values, i) => [others[i], int64Tensor(values)] as const),
      ]),
      nodes: [
        {
          op,
          domain: '',
          name: '',
          inputs: [...inputs, ...others],
          outputs: ['y'],
          attributes: new Map(Object.entries(attributes)),
        },
      ],
    };
    const inferred = inferShapes(graph);
    const outputShape = (inferred.shapes.get('y') ?? []).map(Number);
    const build = new GraphBuilder();
    for (const name of ['y', ...inputs.map((input) => `${input}.gradient`)]) build.reserve(name);
    const bound = new Map(inputs.map((name, i) => [name, build.input(build.fresh(name), 'float32', shapes[i])]));
    const forward = appendForward(build, { graph, inferred }, bound);
    const seed = build.input(build.fresh('seed'), 'float32', outputShape);
    const gradients = differentiate(build, forward, { of: 'y', seed, parameters: new Set(inputs) });
    build.output(forward.valueName('y'), 'y', 'float32');
    for (const name of inputs) build.output(gradients.get(name) ?? '', `${name}.gradient`, 'float32');
    const bytes = serializeModel({ opset, graph: build.graph(op) });
    const session = await ort.InferenceSession.create(bytes, { intraOpNumThreads: 1, logSeverityLevel: 3 });
    return new GradientGraph(session, shapes, outputShape);
  }

  async run(inputs: readonly Float32Array[], seed: Float32Array): Promise<{ output: Result; gradients: Result[] }> {
    const feeds = Object.fromEntries(
      inputs.map((values, i) => [`input${i}`, new ort.Tensor('float32', values, this.#shapes[i])]),
    );
    const outputs = await this.#session.run({ ...feeds, seed: new ort.Tensor('float32', seed, this.outputShape) });
    return { output: resultOf(outputs.y), gradients: inputs.map((_, i) => resultOf(outputs[`input${i}.gradient`])) };
  }
}

export interface Result {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

export function size(shape: readonly number[]): number {
  return shape.reduce((product, dimension) => product * dimension, 1);
}

/** Largest absolute difference; NaN if one is. */
export function maxError(actual: Float32Array, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return Number.NaN;
  return actual.reduce((worst, value, i) => Math.max(worst, Math.abs(value - expected[i])), 0);
}

function resultOf({ data, dims }: ort.Tensor): Result {
  if (!(data instanceof Float32Array)) throw new TypeError('expected float32');
  return { shape: dims, values: data };
}
