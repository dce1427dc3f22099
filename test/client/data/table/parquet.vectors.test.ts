import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseParquet } from '../../../../client/typescript/data/table/parquet.ts';

interface Vectors {
  readonly files: Readonly<Record<string, string>>;
  readonly gzip: string;
  readonly nested: string;
}
const vectors = JSON.parse(
  readFileSync(new URL('../../../vectors/data/parquet.json', import.meta.url), 'utf8'),
) as Vectors;
const bytesOf = (base64: string) => new Uint8Array(Buffer.from(base64, 'base64'));

describe('a Parquet file of pyarrow', () => {
  it.each(Object.keys(vectors.files))('gives its rows as cells (%s)', async (kind) => {
    const table = await parseParquet(bytesOf(vectors.files[kind]), 'ward.parquet');
    expect(table).toMatchObject({ file: 'ward.parquet', named: true, decimalComma: false });
    expect(table.columns).toEqual(['age', 'dose', 'weight', 'ward', 'id', 'insured', 'seen', 'state']);
    expect(table.rows).toEqual([
      ['41', '0.1', '70.25', 'north', '9007199254740993', 'true', '2024-02-29T12:30:00.000Z', 'ill'],
      ['', '1e-7', '1.5', 'süd', '2', 'false', '2024-02-29T12:30:00.000Z', 'well'],
      ['7', '', '3', '', '3', '', '2024-02-29T12:30:00.000Z', 'ill'],
      ['63', '-2.5', '', 'north', '4', 'true', '2024-02-29T12:30:00.000Z', 'well'],
    ]);
  });

  it('is refused where it is nested, compressed another way, cut off, or none', async () => {
    await expect(parseParquet(bytesOf(vectors.nested), 'a.parquet')).rejects.toThrow(
      /data-malformed.*"list" is nested/,
    );
    await expect(parseParquet(bytesOf(vectors.gzip), 'a.parquet')).rejects.toThrow(/data-malformed.*GZIP/i);
    const whole = bytesOf(vectors.files.snappy);
    for (const cut of [0, 4, 100, whole.length - 1]) {
      await expect(parseParquet(whole.subarray(0, cut), 'a.parquet')).rejects.toThrow(/data-malformed/);
    }
    await expect(parseParquet(new TextEncoder().encode('a,b\n1,2\n'), 'a.parquet')).rejects.toThrow(/data-malformed/);
  });
});
