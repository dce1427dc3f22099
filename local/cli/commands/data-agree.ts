import { writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import type { Console } from '../console.ts';
import { readStructured } from '../data-files.ts';

interface DataAgreeOptions {
  readonly encoding?: string;
  readonly out: string;
}

const help = `
Where the pipeline needs another exchange, the encoding says so: every silo then runs data summary with --encoding, and the new summaries
are agreed with --encoding too.

Examples:
  npx tributary data agree north.json south.json --out encoding.json
  npx tributary data agree north-2.json south-2.json --encoding encoding.json --out encoding-2.json
  npx tributary task create hospitals.yaml --encoding encoding.json`;

export function addDataAgree(group: Command, console: Console): void {
  group
    .command('agree')
    .argument('<summaries...>', 'what data summary wrote, one for each silo')
    .summary('make the encoding that all silos share, from their summaries')
    .description('Merges summaries and decides how columns become features.')
    .option('--encoding <file>', 'the agreement so far, from the second exchange on')
    .requiredOption('--out <file>', 'where to write the encoding, JSON')
    .addHelpText('after', help)
    .action((files: string[], options: DataAgreeOptions) => agreeFiles(files, options, console));
}

async function agreeFiles(files: readonly string[], { encoding, out }: DataAgreeOptions, console: Console) {
  const [{ agree }, { featureNames, parseEncoding }, { mergeSummaries }, { parseSummary }] = await Promise.all([
    import('../../../client/typescript/data/table/agree.ts'),
    import('../../../client/typescript/data/table/encoding.ts'),
    import('../../../client/typescript/data/table/merge.ts'),
    import('../../../client/typescript/data/table/summary.ts'),
  ]);
  const summaries = await Promise.all(files.map(async (file) => parseSummary(await readStructured(file))));
  const previous = encoding === undefined ? undefined : parseEncoding(await readStructured(encoding));
  const agreed = agree(mergeSummaries(summaries), previous);
  await writeFile(out, `${JSON.stringify(agreed, null, 1)}\n`);
  for (const note of previous ? [] : agreed.notes) console.err(note);
  const features = agreed.columns.flatMap(featureNames).length;
  console.out(`${out}: ${features} features, ${agreed.classes.length} classes, ${summaries.length} silos`);
  console.out(
    agreed.complete
      ? `complete: task create FILE --encoding ${out}`
      : `not complete: the silos summarise once more, with data summary FILE --encoding ${out}`,
  );
}
