import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { parseIdx } from '../../../client/typescript/data/images/idx.ts';
import { parseTable } from '../../../client/typescript/data/table/table.ts';
import { loadCsv } from '../../../local/data/csv/load-csv.ts';
import { readPlainOrGzip } from '../../../local/data/read-file.ts';
import { hostileStrings } from '../hostile-values.ts';
import { hurtBytes } from '../mutate.ts';
import { must, type Target } from '../target.ts';

const encode = (text: string) => new TextEncoder().encode(text);
const tables = [
  'age,kind,label\n30,a,yes\n41,b,no\n,c,yes\n52,"a, b",no\n',
  '\ufeffage;kind;label\r\n1,5;a;1\r\n2,5;b;0\r\n',
  '1\t2\t3\n4\t5\t6\n',
  '|1x3 Cross validator\n25, Private, <=50K.\n38, ?, >50K.\n',
  '"a ""b""","c\nd",label\n1,2,x\n3,4,y\n',
];
const csvPieces = [
  '"',
  '""',
  ',',
  ';',
  '\t',
  '\n',
  '\r\n',
  '\r',
  '\0',
  '\ufeff',
  '1e309',
  '-0',
  'NaN',
  '9'.repeat(400),
  ...hostileStrings,
];
const csvText = fc.oneof(
  hurtBytes(tables.map(encode)),
  fc
    .tuple(
      fc.constantFrom(...tables),
      fc.array(fc.tuple(fc.nat(200), fc.constantFrom(...csvPieces)), { minLength: 1, maxLength: 4 }),
    )
    .map(([table, pieces]) =>
      encode(pieces.reduce((text, [at, piece]) => text.slice(0, at) + piece + text.slice(at), table)),
    ),
);

export const csv: Target = {
  name: 'csv',
  valid: tables.map(encode),
  inputs: csvText,
  read(bytes) {
    const table = parseTable(new TextDecoder().decode(bytes), 'silo.csv');
    if (!table) return;
    must(
      table.rows.every((row) => row.length === table.columns.length),
      'a ragged table',
    );
    must(table.columns.length <= bytes.length && table.rows.length <= bytes.length, 'more cells than there is text');
    must(!table.named || new Set(table.columns).size === table.columns.length, 'a column twice');
  },
};

const folder = mkdtempSync(join(tmpdir(), 'fuzz-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

/** A whole folder of silos, one of them hostile: the encoding, too. */
export const csvFolder: Target = {
  name: 'csv-folder',
  valid: [encode(`x,y,label\n${Array.from({ length: 20 }, (_, i) => `${i},${i % 3},${i % 2}`).join('\n')}`)],
  inputs: csvText,
  async read(bytes) {
    writeFileSync(join(folder, 'a.csv'), bytes);
    const { clients, heldOut, shape, classes } = await loadCsv({ dataset: 'csv', dataDir: folder });
    for (const { train } of [...clients, { train: heldOut }]) {
      must(train.x.length === train.n * shape[0] && train.x.every(Number.isFinite), 'features that are no numbers');
      must(
        train.y.every((label) => Number.isInteger(label) && label >= 0 && label < classes),
        'a label that is no class',
      );
    }
  },
};

const idxFile = Uint8Array.of(0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 3, ...Array(12).keys());

export const idx: Target = {
  name: 'idx',
  valid: [idxFile],
  inputs: hurtBytes([idxFile]),
  read(bytes) {
    const { dimensions, values } = parseIdx(bytes, 3, 'images');
    must(dimensions.reduce((a, b) => a * b, 1) === values.length, 'another number of values');
  },
};

const limit = 4_096;
const packed = [new Uint8Array(100), new Uint8Array(limit), encode(tables[0])].map(
  (bytes) => new Uint8Array(gzipSync(bytes)),
);

export const gzip: Target = {
  name: 'gzip',
  valid: packed,
  inputs: hurtBytes(packed),
  async read(bytes) {
    const path = join(folder, 'a.gz');
    writeFileSync(path, bytes);
    must((await readPlainOrGzip(path, limit)).length <= limit, 'more than the limit');
  },
};
