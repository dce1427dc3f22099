import { type FileMetaData, parquetSchema, snappyUncompress } from 'hyparquet';
import { ThriftReader, type ThriftStruct, type ThriftValue } from './thrift.ts';

/**
 * Looks through a Parquet file before it is read: a few bytes can promise pages, values and runs without end, and hyparquet makes room
 * for what it is promised. https://parquet.apache.org/docs/file-format/data-pages/
 */

/** Snappy makes at most 64 bytes of three. */
const mostExpansion = 22;
const [dataPage, dictionaryPage, dataPageV2] = [0, 2, 3];
const [plain, plainDictionary, rle, rleDictionary] = [0, 2, 3, 8];

/** The footer's lists are no longer than the footer. @throws {RangeError} */
export function requireModestFooter(file: Uint8Array): void {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const end = file.length - 8;
  const size = end < 0 ? -1 : view.getUint32(end, true);
  if (size < 0 || size > end) throw new RangeError('no footer');
  new ThriftReader(file.subarray(end - size, end)).struct();
}

/** @throws {RangeError} naming what is declared and cannot be there, or a compression or encoding that is not read */
export function requireModestPages(file: Uint8Array, metadata: FileMetaData): void {
  const optional = new Map(
    parquetSchema(metadata).children.map(({ element }) => [element.name, element.repetition_type !== 'REQUIRED']),
  );
  let rows = 0n;
  for (const group of metadata.row_groups) {
    if (group.num_rows < 0n) throw new RangeError(`a group of ${group.num_rows} rows`);
    rows += group.num_rows;
    for (const { meta_data: column } of group.columns) {
      if (column?.codec !== 'UNCOMPRESSED' && column?.codec !== 'SNAPPY') {
        throw new RangeError(`compression ${column?.codec}, expected snappy or none`);
      }
      const isOptional = optional.get(column.path_in_schema.join('.'));
      if (isOptional === undefined) throw new RangeError('a column that the schema does not name');
      const start = Number(column.dictionary_page_offset || column.data_page_offset);
      const size = Number(column.total_compressed_size);
      if (!(start >= 0 && size >= 0 && start + size <= file.length))
        throw new RangeError('a column outside of the file');
      const isPacked = column.codec === 'SNAPPY';
      const isBoolean = column.type === 'BOOLEAN';
      requireModestColumn(file.subarray(start, start + size), Number(group.num_rows), {
        isOptional,
        isPacked,
        isBoolean,
      });
    }
  }
  if (rows !== metadata.num_rows) throw new RangeError(`${metadata.num_rows} rows, its groups have ${rows}`);
}

interface Column {
  readonly isOptional: boolean;
  readonly isPacked: boolean;
  readonly isBoolean: boolean;
}

function requireModestColumn(chunk: Uint8Array, rows: number, column: Column): void {
  const reader = new ThriftReader(chunk);
  // Where a column has fewer values than rows, the reader gives the rest as missing.
  for (let left = rows; left > 0 && reader.left > 1; ) {
    const header = reader.struct();
    const [kind, size, stored] = [1, 2, 3].map((field) => number(header.get(field)));
    if (size < 0 || size > mostExpansion * (stored + 2))
      throw new RangeError(`a page of ${stored} bytes unpacks to ${size}`);
    const body = reader.take(stored);
    if (kind === dictionaryPage) {
      const count = number(fields(header, 7).get(1));
      // The shortest value is a bit.
      if (count < 0 || count > 8 * size) throw new RangeError(`a dictionary of ${count} values in ${size} bytes`);
      continue;
    }
    if (kind !== dataPage && kind !== dataPageV2) throw new RangeError(`a page of kind ${kind}`);
    const described = fields(header, kind === dataPageV2 ? 8 : 5);
    const count = number(described.get(1));
    if (count < 1 || count > left) throw new RangeError(`a page of ${count} values where ${left} rows are left`);
    left -= count;
    if (kind === dataPage) {
      const values = new ThriftReader(column.isPacked ? unpacked(body, size) : body);
      const present = column.isOptional ? definedOf(values, count) : count;
      requireModestValues(values, present, number(described.get(2)), column);
    } else requireModestV2(body, size, described, column);
  }
}

/** Levels stand before the values, and are not compressed. */
function requireModestV2(body: Uint8Array, size: number, described: ThriftStruct, column: Column): void {
  const [count, nulls, rows, encoding, levels, repetitions] = [1, 2, 3, 4, 5, 6].map((field) =>
    number(described.get(field)),
  );
  if (rows !== count || repetitions !== 0 || nulls < 0 || nulls > count)
    throw new RangeError('a page of nested values');
  const reader = new ThriftReader(body);
  const level = new ThriftReader(reader.take(levels));
  if (column.isOptional && runsOf(level, 1, count).ones !== count - nulls)
    throw new RangeError('another number of nulls');
  const rest = reader.take(reader.left);
  const isPacked = column.isPacked && described.get(7) !== false;
  requireModestValues(
    new ThriftReader(isPacked ? unpacked(rest, size - levels) : rest),
    count - nulls,
    encoding,
    column,
  );
}

function requireModestValues(values: ThriftReader, count: number, encoding: number, { isBoolean }: Column): void {
  if (encoding === plain) return;
  if (encoding === rle && isBoolean) {
    values.take(4);
    runsOf(values, 1, count);
  } else if (encoding === plainDictionary || encoding === rleDictionary) {
    const width = values.byte();
    if (width > 32) throw new RangeError(`positions of ${width} bits`);
    if (width > 0) runsOf(values, width, count);
  } else throw new RangeError(`encoding ${encoding}, expected plain or a dictionary`);
}

/** Of so many rows, those that have a value. */
function definedOf(values: ThriftReader, rows: number): number {
  const length = values.take(4);
  const size = new DataView(length.buffer, length.byteOffset).getUint32(0, true);
  return runsOf(new ThriftReader(values.take(size)), 1, rows).ones;
}

/** Goes through runs of equal or bit-packed values, as many as are asked for. @throws {RangeError} if there are more or fewer */
function runsOf(reader: ThriftReader, width: number, count: number): { readonly ones: number } {
  let ones = 0;
  for (let seen = 0; seen < count; ) {
    const header = reader.varint();
    const isPacked = header % 2 === 1;
    const length = Math.floor(header / 2) * (isPacked ? 8 : 1);
    // Packed values come by eights.
    if (length < 1 || seen + length > count + (isPacked ? 7 : 0)) throw new RangeError(`a run of ${length} values`);
    const bytes = reader.take(isPacked ? (length / 8) * width : Math.ceil(width / 8));
    const used = Math.min(length, count - seen);
    if (width === 1) ones += isPacked ? bitsOf(bytes, used) : bytes[0] === 1 ? used : 0;
    seen += used;
  }
  return { ones };
}

function bitsOf(bytes: Uint8Array, count: number): number {
  let ones = 0;
  for (let i = 0; i < count; i++) ones += (bytes[i >> 3] >> (i & 7)) & 1;
  return ones;
}

function unpacked(bytes: Uint8Array, size: number): Uint8Array {
  if (!(size >= 0)) throw new RangeError(`a page of ${size} bytes`);
  const page = new Uint8Array(size);
  snappyUncompress(bytes, page);
  return page;
}

function number(value: ThriftValue | undefined): number {
  if (typeof value === 'number' && Number.isSafeInteger(value)) return value;
  throw new RangeError('a page that does not say what it holds');
}

function fields(header: ThriftStruct, field: number): ThriftStruct {
  const value = header.get(field);
  if (value instanceof Map) return value;
  throw new RangeError('a page that does not say what it holds');
}
