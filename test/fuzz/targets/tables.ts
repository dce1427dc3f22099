import { readFileSync } from 'node:fs';
import { agree } from '../../../client/typescript/data/table/agree.ts';
import { encode } from '../../../client/typescript/data/table/encode.ts';
import { parseEncoding } from '../../../client/typescript/data/table/encoding.ts';
import { mergeSummaries } from '../../../client/typescript/data/table/merge.ts';
import { parseParquet } from '../../../client/typescript/data/table/parquet.ts';
import { type PipelineInput, parsePipeline } from '../../../client/typescript/data/table/pipeline.ts';
import { summarise } from '../../../client/typescript/data/table/summarise.ts';
import { parseSummary } from '../../../client/typescript/data/table/summary.ts';
import { parseTable, type Table } from '../../../client/typescript/data/table/table.ts';
import { encodingOf } from '../../../client/typescript/data/table-participant.ts';
import { hurtBytes, hurtJsonBytes } from '../mutate.ts';
import { must, NotReached, surely, type Target } from '../target.ts';

function tableOf(text: string): Table {
  const table = parseTable(text, 'silo.csv');
  if (!table) throw new Error('no rows');
  return table;
}

const row = (i: number) => `${i % 7 === 0 ? '' : 20 + (i % 40)},${i % 5 === 0 ? '' : i / 3},${'abc'[i % 3]},${i % 2}`;
const table = tableOf(`age,dose,ward,label\n${Array.from({ length: 60 }, (_, i) => row(i)).join('\n')}`);
const pipelines = (
  [
    { label: 'label' },
    {
      label: 'label',
      columns: [
        { name: 'age', missing: ['0'], range: [0, 200] },
        { name: 'ward', categories: ['a', 'b'] },
      ],
      steps: [
        { kind: 'clip', by: 'quantiles' },
        { kind: 'impute', how: 'nearest' },
      ],
    },
    { label: 'label', steps: [{ kind: 'standardize' }, { kind: 'impute', how: 'iterative', exchanges: 1 }] },
  ] satisfies PipelineInput[]
).map(parsePipeline);

/** What the silos say and agree on, exchange after exchange, until nothing is left to ask. */
const exchanges = pipelines.flatMap((pipeline) => {
  const made: {
    summary: ReturnType<typeof summarise>;
    before?: ReturnType<typeof agree>;
    after: ReturnType<typeof agree>;
  }[] = [];
  for (let before: ReturnType<typeof agree> | undefined; !before?.complete; ) {
    const summary = summarise(table, pipeline, { encoding: before });
    const after = agree(mergeSummaries([summary, summary]), before);
    made.push({ summary, before, after });
    before = after;
  }
  return made;
});

const encodingTexts = exchanges
  .map(({ after }) => after)
  .filter(({ complete }) => complete)
  .map((after) => JSON.stringify(after));

/** `encoding.json` of a task, as a client gets it from the federation and encodes its own rows by it. */
export const encoding: Target = {
  name: 'encoding',
  valid: encodingTexts.map((text) => new TextEncoder().encode(text)),
  inputs: hurtJsonBytes(encodingTexts),
  read(bytes) {
    const { x, y, n, shape } = encode(table, encodingOf({ 'encoding.json': bytes } as never));
    must(shape[0] <= bytes.length && x.length === n * shape[0], 'more features than were named');
    must(x.every(Number.isFinite), 'features that are no numbers');
    must(
      y.every((label) => label >= 0),
      'a label that is no class',
    );
  },
};

const summaryTexts = exchanges.map(({ summary }) => JSON.stringify(summary));

/** One silo's summary, merged with those of honest ones into an encoding. */
export const summary: Target = {
  name: 'summary',
  valid: summaryTexts.map((text) => new TextEncoder().encode(text)),
  inputs: hurtJsonBytes(summaryTexts),
  async read(bytes) {
    let content: unknown;
    try {
      content = JSON.parse(new TextDecoder().decode(bytes));
    } catch {
      throw new NotReached();
    }
    const hostile = parseSummary(content);
    const honest = exchanges.filter(
      (one) =>
        one.summary.exchange === hostile.exchange &&
        JSON.stringify(one.summary.pipeline) === JSON.stringify(hostile.pipeline),
    );
    const alone = { others: [], before: undefined };
    for (const { others, before } of [...honest.map((one) => ({ others: [one.summary], before: one.before })), alone]) {
      if (others.length === 0 && hostile.exchange > 0) continue;
      const agreed = agree(mergeSummaries([...others, hostile]), before);
      await surely('an agreement that no client takes', () => parseEncoding(JSON.parse(JSON.stringify(agreed))));
    }
  },
};

const { files } = JSON.parse(readFileSync(new URL('../../vectors/data/parquet.json', import.meta.url), 'utf8')) as {
  files: Record<string, string>;
};
const parquets = Object.values(files).map((text) => new Uint8Array(Buffer.from(text, 'base64')));

export const parquet: Target = {
  name: 'parquet',
  valid: parquets,
  inputs: hurtBytes(parquets),
  async read(bytes) {
    const { columns, rows } = await parseParquet(bytes, 'silo.parquet');
    must(
      rows.every((cells) => cells.length === columns.length),
      'a ragged table',
    );
    must(rows.length * columns.length <= 1_000 * bytes.length, 'more cells than there can be in it');
  },
};
