import { encode } from '../../client/typescript/data/table/encode.ts';
import { fitPipeline } from '../../client/typescript/data/table/fit.ts';
import { type PipelineInput, parsePipeline } from '../../client/typescript/data/table/pipeline.ts';
import { randomFrom } from '../../shared/core/random.ts';
import { logisticRegression } from '../../shared/onnx/models/logistic-regression.ts';
import { dealt, pima, pimaMissing } from './tables.ts';
import { meanText, trainAlone } from './train-alone.ts';

const standardize = { kind: 'standardize' } as const;
const mean = { kind: 'impute', how: 'mean' } as const;
const ways: readonly { readonly name: string; readonly steps: PipelineInput['steps'] }[] = [
  { name: 'standardize alone', steps: [standardize, mean] },
  { name: 'standardize, clip to ±10 (the default)', steps: undefined },
  {
    name: 'clip by deviations, 3, standardize',
    steps: [{ kind: 'clip', by: 'deviations', most: 3 }, standardize, mean],
  },
  { name: 'clip by quantiles, standardize', steps: [{ kind: 'clip', by: 'quantiles' }, standardize, mean] },
];

/** Accuracy on clean rows of a model of Pima, where one training cell in a hundred has lost its decimal point (times 100). */
export async function outlierTable(seeds: number): Promise<string[][]> {
  const rows: string[][] = [];
  for (const { name, steps } of ways) {
    const accuracies: number[] = [];
    for (let seed = 0; seed < seeds; seed++) {
      const random = randomFrom(`typing errors/${seed}`);
      const [table, held] = dealt(pima(), [0.7, 0.3], `split/${seed}`);
      const dirty = table.rows.map((row) =>
        row.map((cell, c) => (c < row.length - 1 && random.next() < 0.01 ? String(100 * Number(cell)) : cell)),
      );
      const source = { ...table, rows: dirty };
      const encoding = fitPipeline([{ table: source }], parsePipeline({ label: 'y', columns: pimaMissing, steps }));
      const train = encode(source, encoding);
      const forward = logisticRegression({ features: train.shape[0], classes: 2 });
      const schedule = { epochs: 40, learningRate: 0.05, seed };
      accuracies.push((await trainAlone({ forward, train, test: encode(held, encoding), ...schedule })).accuracy);
    }
    rows.push([name, meanText(accuracies)]);
  }
  return rows;
}
