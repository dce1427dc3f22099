import { readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { parseTable, type Table } from '../../../client/typescript/data/table/table.ts';
import { FlError } from '../../../shared/core/errors.ts';
import type { LoadContext } from '../federation.ts';
import { readPlainOrGzip } from '../read-file.ts';

const silosFile = /\.((csv|tsv|data)(\.gz)?|parquet)$/i;
const limitBytes = 256 * 2 ** 20;

/**
 * The tables of a folder, one per silo, in the order of their file names; `notes` receives what was left out.
 * @throws {FlError} data-missing, data-malformed (with file and line)
 */
export async function readTables(
  dataDir: string,
  header: boolean | undefined,
  context: LoadContext,
  notes: string[],
): Promise<Table[]> {
  const isFolder = await stat(dataDir).then(
    (found) => found.isDirectory(),
    () => undefined,
  );
  if (isFolder === undefined) throw new FlError('data-missing', `${dataDir} does not exist`);
  if (!isFolder) throw new FlError('data-missing', `${dataDir} is a file, expected a folder`);
  const entries = await readdir(dataDir, { withFileTypes: true });
  const files = entries
    .filter((entry) => !entry.isDirectory() && silosFile.test(entry.name) && !entry.name.startsWith('.'))
    .map(({ name }) => name)
    .sort();
  if (files.length === 0) {
    throw new FlError(
      'data-missing',
      `${dataDir} holds no .csv, .tsv, .data (.gz accepted) or .parquet file, one per silo`,
    );
  }
  const tables: Table[] = [];
  const ids = new Map<string, string>();
  for (const [i, file] of files.entries()) {
    const twin = ids.get(siloId(file));
    if (twin) throw new FlError('data-malformed', `${twin} and ${file} would be the same silo "${siloId(file)}"`);
    ids.set(siloId(file), file);
    context.onProgress?.({ step: 'read', message: file, done: i, total: files.length });
    const table = await readTable(join(dataDir, file), header, notes, context.signal);
    if (table && table.rows.length > 0) tables.push(table);
    else notes.push(`left out ${file}: no rows`);
  }
  if (tables.length === 0) throw new FlError('data-missing', `every file in ${dataDir} is empty`);
  return tables;
}

/** One silo's file; undefined if it has neither rows nor a header. @throws {FlError} data-missing, data-malformed (with file and line) */
export async function readTable(
  path: string,
  header: boolean | undefined,
  notes: string[],
  signal?: AbortSignal,
): Promise<Table | undefined> {
  const file = basename(path);
  let bytes: Uint8Array;
  try {
    bytes = await readPlainOrGzip(path, limitBytes, signal);
  } catch (cause) {
    if (!(cause instanceof Error && 'code' in cause && cause.code === 'ENOENT')) throw cause;
    throw new FlError('data-missing', `${path} does not exist`, { cause });
  }
  if (!/\.parquet$/i.test(file)) return parseTable(decodeText(bytes, file, notes), file, header);
  // Loaded late: few silos have one.
  const { parseParquet } = await import('../../../client/typescript/data/table/parquet.ts');
  return parseParquet(bytes, file);
}

function decodeText(bytes: Uint8Array, file: string, notes: string[]): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    notes.push(`${file} is not UTF-8, read as Windows-1252`);
    return new TextDecoder('windows-1252').decode(bytes);
  }
}

/** The file's name without its endings. */
export function siloId(file: string): string {
  return file.replace(silosFile, '');
}

/** All files have headers or none has; without headers, all have the same number of columns. @throws {FlError} data-malformed */
export function requireOneForm(tables: readonly Table[]): void {
  const [first] = tables;
  for (const table of tables) {
    if (table.named !== first.named) {
      const [withHeader, without] = table.named ? [table, first] : [first, table];
      throw new FlError(
        'data-malformed',
        `${withHeader.file} seems to have a header and ${without.file} none; make the files alike`,
      );
    }
    if (!first.named && table.columns.length !== first.columns.length) {
      const counts = `${table.columns.length} columns, ${first.file} has ${first.columns.length}`;
      throw new FlError('data-malformed', `${table.file}:1: ${counts}, and without headers they cannot be matched`);
    }
  }
}

/** The label column's name, checked in every table. @throws {FlError} label-missing */
export function labelName(tables: readonly Table[], wanted: string | number | undefined, notes: string[]): string {
  const { columns } = tables[0];
  let name: string;
  if (wanted === undefined) {
    name = columns[columns.length - 1];
    notes.push(`label: the last column, "${name}" (choose another with --label)`);
  } else if (typeof wanted === 'string' && columns.includes(wanted)) {
    name = wanted;
  } else {
    const index = typeof wanted === 'number' ? wanted : /^-?\d+$/.test(wanted) ? Number(wanted) : Number.NaN;
    name = columns.at(index) ?? String(wanted);
    // `at` takes NaN for 0.
    if (Number.isNaN(index)) name = String(wanted);
  }
  for (const table of tables) {
    if (table.columns.includes(name)) continue;
    const known = table.columns
      .slice(0, 20)
      .map((column) => `"${column}"`)
      .join(', ');
    throw new FlError('label-missing', `${table.file} has no column "${name}"; it has ${known}`);
  }
  return name;
}

/** Notes every column that some silos lack. */
export function noteMissingColumns(tables: readonly Table[], notes: string[]): void {
  const names = new Set(tables.flatMap(({ columns }) => columns));
  for (const name of names) {
    const without = tables.filter(({ columns }) => !columns.includes(name)).map(({ file }) => file);
    if (without.length > 0) notes.push(`column "${name}" is not in ${without.join(', ')}: taken as missing there`);
  }
}
