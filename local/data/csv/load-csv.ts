import { basename, resolve } from 'node:path';
import { FlError } from '../../../shared/core/errors.ts';
import { permutation, type Random, randomFrom } from '../../../shared/core/random.ts';
import { checkNumber } from '../check-number.ts';
import { concatenate, pick } from '../examples.ts';
import type { Federation, LoadContext, Suggestion } from '../federation.ts';
import { fingerprintOf } from '../fingerprint.ts';
import { encode } from './encode.ts';
import { canonicalLabel } from './label.ts';
import { featureNames, type SchemaOptions, schemaOf } from './schema.ts';
import { labelName, noteMissingColumns, readTables, requireOneForm, siloId } from './silos.ts';
import { mergeSummaries, summarise } from './summary.ts';
import type { Table } from './table.ts';

export interface CsvOptions extends Pick<SchemaOptions, 'maximumCategories' | 'missingIndicator' | 'drop' | 'keep'> {
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
}

/**
 * One client per CSV file. Silos agree on the encoding from summaries of their training rows (`summarise`, `mergeSummaries`,
 * `schemaOf`), never from rows. The held-out set is the union of the silos' test rows.
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
  const named = requireOneForm(tables);
  const label = labelName(tables, options.label, notes);
  noteMissingColumns(tables, notes);

  const silos = tables.map((table) => ({
    id: siloId(table.file),
    table,
    ...splitRows(table, label, testShare, random, notes),
  }));
  const filled = silos.filter(({ train }) => train.length > 0);
  if (filled.length === 0) throw new FlError('data-missing', `no row in ${dataDir} has a label in "${label}"`);
  const merged = mergeSummaries(filled.map(({ table, train }) => summarise(table, { label, rows: train })));
  const schema = schemaOf(merged, { ...options, label, named });
  const features = schema.columns.flatMap(featureNames);
  const clients = filled.map(({ id, table, train, test }, k) => {
    context.signal?.throwIfAborted();
    context.onProgress?.({ step: 'encode', message: table.file, done: k + 1, total: filled.length });
    return { id, train: encode(table, schema, train), test: encode(table, schema, test) };
  });

  const shape = [features.length];
  const union = concatenate(
    clients.map(({ test }) => test),
    shape,
  );
  const heldOut =
    union.n > limit ? pick(union, permutation(union.n, random.fork('held-out')).subarray(0, limit).sort()) : union;
  notes.push(...schema.notes, `held-out set: ${heldOut.n} of the silos' ${union.n} test rows`);
  const labels = schema.classes;
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
    notes,
  };
}

/** Row indices with a label, shuffled by seed and silo alone, so that a silo's split does not depend on the others. */
function splitRows(table: Table, label: string, testShare: number, random: Random, notes: string[]) {
  const column = table.columns.indexOf(label);
  const labelled = [...table.rows.keys()].filter((row) => canonicalLabel(table.rows[row][column]) !== '');
  const without = table.rows.length - labelled.length;
  if (without > 0) notes.push(`left out ${without} of ${table.rows.length} rows of ${table.file}: no label`);
  const order = permutation(labelled.length, random.fork(`split/${siloId(table.file)}`)).map((i) => labelled[i]);
  const testSize = Math.floor(testShare * labelled.length);
  return { train: order.subarray(testSize), test: order.subarray(0, testSize) };
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
