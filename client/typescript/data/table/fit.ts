import { agree } from './agree.ts';
import type { Encoding } from './encoding.ts';
import { mergeSummaries } from './merge.ts';
import type { Pipeline } from './pipeline.ts';
import { summarise } from './summarise.ts';
import type { Table } from './table.ts';

/** A silo's table and the rows to learn from, default all. */
export interface FitSource {
  readonly table: Table;
  readonly rows?: ArrayLike<number>;
}

/**
 * All exchanges in one place, for silos that one process holds: simulations, tests, and one silo alone. What is exchanged is what would
 * travel.
 * @throws {FlError} what `summarise`, `mergeSummaries` and `agree` throw
 */
export function fitPipeline(silos: readonly FitSource[], pipeline: Pipeline): Encoding {
  let encoding: Encoding | undefined;
  do {
    const under = encoding;
    const summaries = silos.map(({ table, rows }) => summarise(table, pipeline, { rows, encoding: under }));
    encoding = agree(mergeSummaries(summaries), under);
  } while (!encoding.complete);
  return encoding;
}
