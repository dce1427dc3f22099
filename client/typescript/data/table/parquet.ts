import { parquetMetadata, parquetReadObjects, parquetSchema } from 'hyparquet';
import { FlError } from '../../../../shared/core/errors.ts';
import { requireModestFooter, requireModestPages } from './parquet-pages.ts';
import type { Table } from './table.ts';

const mostCells = 100_000_000;
/** A run of equal values takes a few bytes, however long it is: beyond this it is no table, but a way to fill memory. */
const mostCellsPerByte = 1_000;

/**
 * The rows of a Parquet file of flat columns, uncompressed or snappy (what pandas, Spark and DuckDB write unless told otherwise). Null and
 * NaN are missing; a time is its ISO 8601 text.
 * @param file the file's name, for messages
 * @throws {FlError} data-malformed, also on lists, structs, other compressions and delta encodings
 */
export async function parseParquet(bytes: Uint8Array, file: string): Promise<Table> {
  const malformed = (what: string, cause?: unknown) => new FlError('data-malformed', `${file}: ${what}`, { cause });
  // The reader slices what it is given as an ArrayBuffer.
  const content = new Uint8Array(bytes).buffer;
  try {
    requireModestFooter(bytes);
    const metadata = parquetMetadata(content);
    const columns = parquetSchema(metadata).children.map(({ element, children }) => {
      if (children.length > 0) throw malformed(`column "${element.name}" is nested, expected one value a row`);
      return element.name;
    });
    const most = Math.min(mostCells, mostCellsPerByte * bytes.length);
    if (metadata.num_rows * BigInt(columns.length) > BigInt(most)) {
      throw malformed(`${metadata.num_rows} rows of ${columns.length} columns, at most ${most} cells are read`);
    }
    requireModestPages(bytes, metadata);
    const records = await parquetReadObjects({ file: content, metadata });
    const rows = records.map((record) =>
      columns.map((column) => {
        const cell = textOf(record[column]);
        if (cell === undefined) throw malformed(`column "${column}" holds neither numbers, words nor times`);
        return cell;
      }),
    );
    return { file, columns, named: true, rows, decimalComma: false };
  } catch (cause) {
    if (cause instanceof FlError) throw cause;
    const why = (cause instanceof Error ? cause.message : String(cause)).slice(0, 300).toWellFormed();
    throw malformed(`no Parquet file that can be read: ${why}`, cause);
  }
}

function textOf(value: unknown): string | undefined {
  switch (typeof value) {
    case 'undefined':
      return '';
    case 'string':
      return value.trim();
    case 'number':
      return Number.isNaN(value) ? '' : String(value);
    case 'bigint':
    case 'boolean':
      return String(value);
    default:
      if (value === null) return '';
      return value instanceof Date ? value.toISOString() : undefined;
  }
}
