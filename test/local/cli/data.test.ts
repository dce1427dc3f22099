import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseEncoding } from '../../../client/typescript/data/table/encoding.ts';
import { parseSummary } from '../../../client/typescript/data/table/summary.ts';
import { loadCsv } from '../../../local/data/csv/load-csv.ts';
import { runHere } from './recording-console.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tributary-data-'));
  const rows = (from: number) =>
    Array.from({ length: 50 }, (_, i) => `${(from + 7 * i) % 31},${i % 3 ? 'red' : 'blue'},${i % 2}`).join('\n');
  writeFileSync(join(folder, 'a.csv'), `size,colour,y\n${rows(3)}\n`);
  writeFileSync(join(folder, 'b.csv'), `size,colour,y\n${rows(11)}\n`);
});
afterAll(() => rmSync(folder, { recursive: true }));

const at = (name: string) => join(folder, name);
const json = (name: string): unknown => JSON.parse(readFileSync(at(name), 'utf8'));

test('files that never met agree on what a folder of them would', async () => {
  for (const name of ['a', 'b']) {
    const { code, out } = await runHere([
      'data',
      'summary',
      at(`${name}.csv`),
      '--label',
      'y',
      '--out',
      at(`${name}.json`),
    ]);
    expect([code, out]).toEqual([0, `${at(`${name}.json`)}: 40 of 50 rows summarised, label "y"`]);
  }
  const { code, out } = await runHere(['data', 'agree', at('a.json'), at('b.json'), '--out', at('encoding.json')]);
  expect(code).toBe(0);
  expect(out).toMatch(/3 features, 2 classes, 2 silos\ncomplete/);
  const { encoding } = await loadCsv({ dataset: 'csv', dataDir: folder, label: 'y', seed: 1 });
  expect(parseEncoding(json('encoding.json'))).toEqual(encoding);
});

test('a summary takes the pipeline from a file, and the label from its position', async () => {
  writeFileSync(at('pipeline.yaml'), 'label: y\ndisclosure: { extremes: false }\n');
  const { code } = await runHere([
    'data',
    'summary',
    at('a.csv'),
    '--pipeline',
    at('pipeline.yaml'),
    '--out',
    at('p.json'),
  ]);
  expect(code).toBe(0);
  expect(parseSummary(json('p.json')).columns[0].numeric).not.toHaveProperty('max');
  await runHere(['data', 'summary', at('a.csv'), '--label', '1', '--out', at('c.json')]);
  expect(parseSummary(json('c.json')).pipeline.label).toBe('colour');
});

test.each<[string, string[], RegExp]>([
  ['a file that is not there', ['summary', 'nowhere.csv', '--out', 'x'], /data-missing.*nowhere\.csv/],
  ['no summary', ['agree', '--out', 'x'], /missing required argument 'summaries'/],
  ['a file that is no summary', ['agree', 'package.json', '--out', 'x'], /summary-invalid/],
])('refuses %s', async (_, args, message) => {
  const { code, err } = await runHere(['data', ...args]);
  expect(code).not.toBe(0);
  expect(err).toMatch(message);
});

test('task create refuses an encoding that is not complete', async () => {
  const encoding = parseEncoding(json('encoding.json'));
  writeFileSync(at('half.json'), JSON.stringify({ ...encoding, complete: false }));
  const { readEncodingFile } = await import('../../../local/cli/data-files.ts');
  await expect(readEncodingFile(at('half.json'))).rejects.toThrow(/not complete.*data summary --encoding/);
  expect(JSON.parse(new TextDecoder().decode(await readEncodingFile(at('encoding.json'))))).toEqual(encoding);
});

test.each(['data --help', 'data summary --help', 'data agree --help'])('%s prints help and ends well', async (line) => {
  const { code, out } = await runHere(line.split(' '));
  expect(out).toMatch(/Usage: tributary data/);
  expect(code).toBe(0);
});
