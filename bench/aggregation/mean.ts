import type { Kernels } from '../../shared/core/aggregator/kernels/kernels.ts';
import type { Comparison, Load, Peer } from './comparison.ts';
import { fillUniform, reserveFloats, rowMajor, weightsOf } from './inputs.ts';

/** Elements of a block in the block-major layout: what a range read brings of each row at a time. */
const block = 16_384;

const peers: readonly Peer[] = [
  { label: 'C streaming read, ordinary pages', name: 'read', bar: 0.75 },
  { label: 'C weighted sum, ordinary pages', name: 'mean_c', bar: 0.75, tolerance: 1e-4 },
  { label: 'NumPy, 64 Ki blocks', name: 'mean_blocked', bar: 1.2, tolerance: 1e-4 },
  { label: 'NumPy, naive', name: 'mean_naive', tolerance: 1e-4 },
  { label: 'BLAS (numpy @)', name: 'mean_blas', tolerance: 1e-4 },
  { label: 'PyTorch mv', name: 'mean_torch', tolerance: 1e-4 },
  { label: 'C streaming read, huge pages', name: 'read_huge_pages' },
  { label: 'Flower aggregate', name: 'flower_aggregate', tolerance: 1e-4 },
  { label: 'Flower aggregate_inplace', name: 'flower_aggregate_in_place', tolerance: 1e-4 },
];

const shapes = [
  { count: 10, parameters: 1_000_000 },
  { count: 50, parameters: 1_000_000 },
  { count: 100, parameters: 1_000_000 },
  { count: 10, parameters: 10_000_000 },
];

/** The weighted mean: the rows of a block side by side, as a streaming reader lays them out; whole rows; float64. */
export const meanComparisons: readonly Comparison[] = shapes.flatMap(({ count, parameters }) => {
  const load: Load = { kind: 'rows', count, parameters };
  const shape = `${count} x ${parameters / 1e6}M`;
  const bytes = 4 * count * parameters;
  const [read, sum, blocked] = peers;
  return [
    { label: `mean ${shape}, block-major`, load, bytes, peers, prepare: (kernels) => blockMajorMean(kernels, load) },
    {
      label: `mean ${shape}, whole rows`,
      load,
      bytes,
      peers: [
        { ...read, bar: undefined },
        { ...sum, bar: undefined },
        { ...blocked, bar: undefined },
      ],
      prepare: (kernels) => wholeRowsMean(kernels, load),
    },
    {
      label: `mean ${shape}, whole rows, float64 sums`,
      load,
      bytes,
      peers: [{ ...read, bar: undefined }],
      prepare: (kernels) => float64Mean(kernels, load),
    },
  ] satisfies Comparison[];
});

function blockMajorMean(kernels: Kernels, { count, parameters }: Load) {
  const weights = weightsOf(count);
  const sum = reserveFloats(kernels, parameters);
  const blocks = Array.from({ length: Math.ceil(parameters / block) }, (_, b) => {
    const length = Math.min(block, parameters - b * block);
    const rows = weights.map((_, r) => reserveFloats(kernels, length, (values) => fillUniform(values, r, b * block)));
    return { at: sum + 4 * b * block, rows, length };
  });
  return {
    run() {
      for (const { at, rows, length } of blocks) kernels.sums.combine(at, rows, weights, length);
    },
    result: () => kernels.arena.float32(sum, parameters),
  };
}

function wholeRowsMean(kernels: Kernels, load: Load) {
  const weights = weightsOf(load.count);
  const sum = reserveFloats(kernels, load.parameters);
  const rows = rowMajor(kernels, load);
  return {
    run: () => kernels.sums.combine(sum, rows, weights, load.parameters),
    result: () => kernels.arena.float32(sum, load.parameters),
  };
}

function float64Mean(kernels: Kernels, load: Load) {
  const weights = weightsOf(load.count);
  const sum = reserveFloats(kernels, 2 * load.parameters);
  const rows = rowMajor(kernels, load);
  return {
    run() {
      kernels.arena.float64(sum, load.parameters).fill(0);
      kernels.sums.weightedFloat64(sum, rows, weights, load.parameters);
    },
    result: () => kernels.arena.float64(sum, load.parameters),
  };
}
