import { classWeights } from '../../client/typescript/data/balance/class-weights.ts';
import { examplesByClass, overSample, underSample } from '../../client/typescript/data/balance/resample.ts';
import { smote } from '../../client/typescript/data/balance/smote.ts';
import { pick } from '../../client/typescript/data/pick.ts';
import { encode } from '../../client/typescript/data/table/encode.ts';
import { fitPipeline } from '../../client/typescript/data/table/fit.ts';
import { parsePipeline } from '../../client/typescript/data/table/pipeline.ts';
import { logisticRegression } from '../../shared/onnx/models/logistic-regression.ts';
import { dealt, pima, pimaMissing } from './tables.ts';
import { meanText, type TrainAlone, trainAlone } from './train-alone.ts';

/** Pima with one sick training row in eight kept: about one in sixteen. The test rows stay as they are. */
const keptOfRare = 8;

export async function imbalanceTable(seeds: number): Promise<string[][]> {
  const measured = new Map<string, { accuracy: number[]; balanced: number[] }>();
  for (let seed = 0; seed < seeds; seed++) {
    const [table, held] = dealt(pima(), [0.7, 0.3], `split/${seed}`);
    const encoding = fitPipeline([{ table }], parsePipeline({ label: 'y', columns: pimaMissing }));
    const all = encode(table, encoding);
    let rare = 0;
    const train = pick(
      all,
      [...all.y.keys()].filter((i) => all.y[i] === 0 || rare++ % keptOfRare === 0),
    );
    const counts = examplesByClass(train).map(({ length }) => length);
    const forward = logisticRegression({ features: train.shape[0], classes: 2 });
    const base: TrainAlone = { forward, train, test: encode(held, encoding), epochs: 40, learningRate: 0.05, seed };
    const ways: readonly [string, Partial<TrainAlone>][] = [
      ['as it is', {}],
      ['classWeights in the loss', { loss: { kind: 'softmax-cross-entropy', classWeights: classWeights(counts) } }],
      ['overSample', { prepare: overSample }],
      ['underSample', { prepare: underSample }],
      ['smote', { prepare: (samples, random) => smote(samples, random) }],
    ];
    for (const [name, change] of ways) {
      const found = await trainAlone({ ...base, ...change });
      const held = measured.get(name) ?? { accuracy: [], balanced: [] };
      held.accuracy.push(found.accuracy);
      held.balanced.push(found.balanced);
      measured.set(name, held);
    }
  }
  return [...measured].map(([name, { accuracy, balanced }]) => [name, meanText(balanced), meanText(accuracy)]);
}
