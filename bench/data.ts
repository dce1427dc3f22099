import { existsSync } from 'node:fs';
import { table } from '../local/cli/table.ts';
import { imageTable, seriesTable } from './data/augmentation.ts';
import { imbalanceTable } from './data/imbalance.ts';
import { imputationErrors } from './data/imputation.ts';
import { outlierTable } from './data/outliers.ts';
import { dataFolder } from './data/tables.ts';

/** What each transform of the data pipeline does for a model, on real sets with something spoilt: docs/data.md's tables. */
export async function dataBench(): Promise<void> {
  if (!existsSync(dataFolder)) {
    console.log('skipped: ../shared/data is not there');
    return;
  }
  print(
    'Imputation: RMSE of the cells filled in, in deviations (5 seeds)',
    ['', 'Pima, complete rows', 'Wisconsin'],
    imputationErrors(5),
  );
  print('Imbalance: Pima with 1 sick in 16 (5 seeds)', ['', 'balanced accuracy', 'accuracy'], await imbalanceTable(5));
  print('Outliers: Pima with 1% typing errors (5 seeds)', ['', 'accuracy'], await outlierTable(5));
  print('Images: MLP on 300 of MNIST (3 seeds)', ['', 'accuracy'], await imageTable(3));
  print('Series: three wave forms of other levels (5 seeds)', ['', 'accuracy'], await seriesTable(5));
}

function print(title: string, header: string[], rows: string[][]): void {
  console.log(`\n${title}\n${table([header, ...rows]).join('\n')}`);
}
