import { writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import type { Console } from '../console.ts';
import { UsageError } from '../console.ts';
import { readStructured } from '../data-files.ts';
import { decimal, integer } from '../values.ts';

interface DataSummaryOptions {
  readonly label?: string;
  readonly pipeline?: string;
  readonly encoding?: string;
  readonly header?: boolean;
  readonly testShare: number;
  readonly seed: number;
  readonly out: string;
}

const help = `
The summary holds counts, means, spreads, extremes and frequent words of the file's columns, and the count of each class: no row, but
exact figures. docs/data.md says what they reveal, and how the pipeline's "disclosure" limits it. Look at the file before you send it.
Rows kept for testing under the same --seed and --test-share, as client run keeps them, are not part of it.

Examples:
  npx tributary data summary north.csv --label outcome --out north.json
  npx tributary data summary north.parquet --pipeline pipeline.yaml --out north.json
  npx tributary data summary north.csv --encoding encoding.json --out north-2.json   the second exchange`;

export function addDataSummary(group: Command, console: Console): void {
  group
    .command('summary')
    .argument('<file>', 'CSV (.gz accepted) or Parquet: one silo')
    .summary("summarise one silo's file, without its rows, for an agreement with other silos")
    .description('Writes what the silos need from each other to encode alike.')
    .option(
      '--label <column>',
      'name or position of the column to predict (default: as the pipeline says, or the last)',
    )
    .option(
      '--pipeline <file>',
      'steps, declared columns and disclosure, YAML or JSON (default: standardise, gaps at the mean)',
    )
    .option('--encoding <file>', 'an agreement that is not complete: summarise under it')
    .option('--no-header', 'the file starts with a row of values (default: found by content)')
    .option('--test-share <share>', 'share of the rows kept for testing', decimal(0, 0.9), 0.2)
    .option('--seed <n>', 'seed of that choice', integer(0, 0xffff_ffff), 1)
    .requiredOption('--out <file>', 'where to write the summary, JSON')
    .addHelpText('after', help)
    .action((file: string, options: DataSummaryOptions, command: Command) => {
      // Commander sets what is negated to true.
      const header = command.getOptionValueSource('header') === 'cli' ? options.header : undefined;
      return summariseFile(file, { ...options, header }, console);
    });
}

async function summariseFile(file: string, options: DataSummaryOptions, console: Console): Promise<void> {
  const [{ openSilo }, { parseEncoding }, { parsePipeline }, { summarise }] = await Promise.all([
    import('../../data/csv/silo.ts'),
    import('../../../client/typescript/data/table/encoding.ts'),
    import('../../../client/typescript/data/table/pipeline.ts'),
    import('../../../client/typescript/data/table/summarise.ts'),
  ]);
  if (options.encoding !== undefined && (options.pipeline !== undefined || options.label !== undefined)) {
    throw new UsageError('--encoding says the pipeline and the label already');
  }
  const encoding = options.encoding === undefined ? undefined : parseEncoding(await readStructured(options.encoding));
  const declared = options.pipeline === undefined ? {} : await readStructured(options.pipeline);
  const silo = await openSilo(file, options, console.signal);
  const label = silo.label(encoding?.pipeline.label ?? options.label ?? labelOf(declared));
  const pipeline = encoding?.pipeline ?? parsePipeline({ ...Object(declared), label });
  const { train } = silo.split(label);
  const summary = summarise(silo.table, pipeline, { rows: train, encoding });
  for (const note of silo.notes) console.err(note);
  await writeFile(options.out, `${JSON.stringify(summary, null, 1)}\n`);
  console.out(`${options.out}: ${summary.rows} of ${silo.table.rows.length} rows summarised, label "${label}"`);
}

function labelOf(declared: unknown): string | undefined {
  if (typeof declared !== 'object' || declared === null || !('label' in declared)) return undefined;
  return typeof declared.label === 'string' ? declared.label : undefined;
}
