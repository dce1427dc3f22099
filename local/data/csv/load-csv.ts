import { basename, resolve } from 'node:path';
import { concatenate, pick } from '../../../client/typescript/data/pick.ts';
import { encode } from '../../../client/typescript/data/table/encode.ts';
import { featureNames } from '../../../client/typescript/data/table/encoding.ts';
import { fitPipeline } from '../../../client/typescript/data/table/fit.ts';
import { type PipelineInput, parsePipeline } from '../../../client/typescript/data/table/pipeline.ts';
import { FlError } from '../../../shared/core/errors.ts';
import { permutation, randomFrom } from '../../../shared/core/random.ts';
import { checkNumber } from '../check-number.ts';
import type { Federation, LoadContext, Suggestion } from '../federation.ts';
import { fingerprintOf } from '../fingerprint.ts';
import { labelName, noteMissingColumns, readTables, requireOneForm, siloId } from './silos.ts';
import { splitRows } from './split-rows.ts';

export interface CsvOptions {
  readonly dataset: 'csv';
  /** Folder with one `.csv`, `.tsv` or `.data` file (or its `.gz`) per silo. */
  readonly dataDir?: string;
  /** Name or 0-based position of the label column; negative counts from the end. Default the last. */
  readonly label?: string | number;
  /** Whether files start with a header. Default: found by content. */
  readonly header?: boolean;
  /** Share of each silo's rows kept for testing. Default 0.2. */
  readonly testShare?: number;
  /** The most rows of the held-out set, a seeded choice from the silos' test rows. Default 20,000. */
  readonly heldOut?: number;
  readonly seed?: number | string;
  /** How tables become examples, but for the label. Default: standardised, gaps at the mean, words as 0/1 features. */
  readonly pipeline?: Omit<PipelineInput, 'label'>;
}

/**
 * One client per CSV file. Silos agree on the encoding from summaries of their training rows (`fitPipeline`),
 * never from rows. The held-out set is the union of the silos' test rows.
 * @throws {FlError} data-missing, data-malformed (with file and line), label-missing, label-unsuitable, option-invalid
 */
export async function loadCsv(options: CsvOptions, context: LoadContext = {}): Promise<Federation> {
  const { dataDir } = options;
  if (dataDir === undefined) throw new FlError('option-invalid', 'csv needs the folder of the silo files: --data-dir');
  const testShare = checkNumber('testShare', options.testShare ?? 0.2, 0, 0.9);
  const limit = checkNumber('heldOut', options.heldOut ?? 20_000, 1, 10_000_000, true);
  const random = randomFrom(`csv/${options.seed ?? 0}`);
  const notes: string[] = [];
  const tables = await readTables(dataDir, options.header, context, notes);
  requireOneForm(tables);
  const label = labelName(tables, options.label, notes);
  noteMissingColumns(tables, notes);

  const silos = tables.map((table) => ({
    id: siloId(table.file),
    table,
    ...splitRows(table, label, { silo: siloId(table.file), testShare, random }, notes),
  }));
  const filled = silos.filter(({ train }) => train.length > 0);
  if (filled.length === 0) throw new FlError('data-missing', `no row in ${dataDir} has a label in "${label}"`);
  const pipeline = parsePipeline({ ...options.pipeline, label });
  const encoding = fitPipeline(
    filled.map(({ table, train }) => ({ table, rows: train })),
    pipeline,
  );
  const features = encoding.columns.flatMap(featureNames);
  const clients = filled.map(({ id, table, train, test }, k) => {
    context.signal?.throwIfAborted();
    context.onProgress?.({ step: 'encode', message: table.file, done: k + 1, total: filled.length });
    const encoded = (rows: Uint32Array) => encode(table, encoding, { rows, donors: train });
    return { id, train: encoded(train), test: encoded(test) };
  });

  const shape = [features.length];
  const union = concatenate(
    clients.map(({ test }) => test),
    shape,
  );
  const heldOut =
    union.n > limit ? pick(union, permutation(union.n, random.fork('held-out')).subarray(0, limit).sort()) : union;
  notes.push(...encoding.notes, `held-out set: ${heldOut.n} of the silos' ${union.n} test rows`);
  const labels = encoding.classes;
  return {
    name: basename(resolve(dataDir)),
    shape,
    classes: labels.length,
    labels,
    features,
    clients,
    heldOut,
    suggestion: suggest(clients.map(({ train }) => train.n)),
    fingerprint: fingerprintOf({ shape, labels, clients, heldOut }),
    encoding,
    notes,
  };
}

/** A linear model while rows are few, a small network where they are many; about 50 local steps each time. */
function suggest(trainSizes: readonly number[]): Suggestion {
  const rows = trainSizes.reduce((sum, size) => sum + size, 0);
  const batchSize = rows >= 20_000 ? 32 : 16;
  const steps = rows / trainSizes.length / batchSize;
  return {
    model: rows >= 20_000 ? { kind: 'mlp', hidden: [32] } : { kind: 'logistic-regression' },
    learningRate: 0.05,
    batchSize,
    localEpochs: Math.max(1, Math.min(5, Math.ceil(50 / steps))),
    rounds: 40,
    buffer: Math.min(10, trainSizes.length),
    concurrency: Math.min(10, trainSizes.length),
  };
}
