import { describe, expect, it } from 'vitest';
import { ruleFor, supportedOps } from '../../shared/onnx/rules/registry.ts';
import simple from '../vectors/onnx/gradients.json' with { type: 'json' };
import { GradientGraph, maxError } from './gradient-graph.ts';
import { nodeOf, type OperatorVector, operatorVectors } from './operator-vectors.ts';

const files = operatorVectors();

/** Relative to the largest expected value, or to 1 if that is smaller. */
const tolerance = 1e-5;

async function expectVector(vector: OperatorVector, batch: boolean) {
  const graph = await GradientGraph.of({ ...nodeOf(vector), batch }, vector.opset);
  expect(graph.outputShape).toEqual(vector.output.shape);
  const inputs = vector.inputs.map(({ values }) => Float32Array.from(values));
  const { output, gradients } = await graph.run(inputs, Float32Array.from(vector.seed.values));
  const scaled = (actual: Float32Array, expected: readonly number[]) =>
    maxError(actual, expected) / expected.reduce((most, value) => Math.max(most, Math.abs(value)), 1);
  expect(scaled(output.values, vector.output.values)).toBeLessThan(tolerance);
  gradients.forEach((gradient, i) => {
    expect(gradient.shape).toEqual(vector.gradients[i].shape);
    expect(scaled(gradient.values, vector.gradients[i].values)).toBeLessThan(tolerance);
  });
}

describe.each(files.map((file) => [file.family, file] as const))('%s operators agree with PyTorch', (_, { cases }) => {
  it.each(cases.map((vector) => [`${vector.op}: ${vector.name}`, vector] as const))('%s', (_, vector) =>
    expectVector(vector, false),
  );

  const open = cases.filter(({ batch }) => batch);
  it.each(open.map((vector) => [`${vector.op}: ${vector.name}`, vector] as const))(
    '%s, the first axis left open',
    (_, vector) => expectVector(vector, true),
  );
});

describe('the registry', () => {
  it('has a case for each operator that passes a gradient', () => {
    const covered = new Set([...simple.cases, ...files.flatMap(({ cases }) => cases)].map(({ op }) => op));
    const passing = supportedOps.filter((op) => ruleFor(nodeNamed(op)).gradients);
    expect(passing.filter((op) => !covered.has(op))).toEqual([]);
  });
});

function nodeNamed(op: string) {
  return { op, domain: '', name: '', inputs: [], outputs: [], attributes: new Map() };
}
