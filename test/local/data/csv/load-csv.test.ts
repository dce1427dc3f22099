import { existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CsvOptions } from '../../../../local/data/csv/load-csv.ts';
import type { Federation } from '../../../../local/data/federation.ts';
import { loadFederation } from '../../../../local/data/load-federation.ts';
import { randomFrom } from '../../../../shared/core/random.ts';

const realData = join(import.meta.dirname, '../../../../../shared/data');

let folder: string;
beforeEach(async () => {
  folder = join(await mkdtemp(join(tmpdir(), 'tributary-csv-')), 'wards');
  await mkdir(folder);
});
afterEach(() => rm(join(folder, '..'), { recursive: true }));

const write = (name: string, content: string | Uint8Array) => writeFile(join(folder, name), content);
const load = (options: Partial<CsvOptions> = {}) => loadFederation({ dataset: 'csv', dataDir: folder, ...options });
const ward = (count: number, from = 0) =>
  Array.from({ length: count }, (_, i) => `${(from + i) % 13},${(i * 5) % 7},${i % 2 ? 'ill' : 'well'}`).join('\n');

describe('csv federation', () => {
  it('makes one client per file, named after it, with a fifth of its rows for testing', async () => {
    await write('north.csv', `age,dose,state\n${ward(50)}\n`);
    await write('south.csv.gz', gzipSync(`age,dose,state\n${ward(30, 9)}\n`));
    await write('readme.txt', 'not a silo');
    const federation = await load();
    expect(federation.name).toBe('wards');
    expect(federation.clients.map(({ id, train, test }) => [id, train.n, test.n])).toEqual([
      ['north', 40, 10],
      ['south', 24, 6],
    ]);
    expect(federation.heldOut.n).toBe(16);
    expect(federation.features).toEqual(['age', 'dose']);
    expect(federation.labels).toEqual(['ill', 'well']);
    expect(federation.notes).toContain('label: the last column, "state" (choose another with --label)');
  });

  it('standardises the training rows of all silos together', async () => {
    await write('a.csv', ward(100));
    await write('b.csv', ward(60, 3));
    const { clients, shape } = await load();
    for (let j = 0; j < shape[0]; j++) {
      const values = clients.flatMap(({ train }) =>
        Array.from({ length: train.n }, (_, i) => train.x[i * shape[0] + j]),
      );
      const mean = values.reduce((sum, v) => sum + v, 0) / values.length;
      expect(mean).toBeCloseTo(0, 5);
      expect(values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / values.length).toBeCloseTo(1, 5);
    }
  });

  it('follows the seed, and splits a silo the same whatever the other silos', async () => {
    await write('a.csv', `age,dose,state\n${ward(50)}`);
    const alone = await load({ seed: 1 });
    expect((await load({ seed: 1 })).fingerprint).toBe(alone.fingerprint);
    expect((await load({ seed: 2 })).fingerprint).not.toBe(alone.fingerprint);
    await write('b.csv', `age,dose,state\n${ward(50)}`);
    const both = await load({ seed: 1 });
    expect([...both.clients[0].train.y]).toEqual([...alone.clients[0].train.y]);
  });

  it('takes the label by name, by position and from the end', async () => {
    await write('a.csv', `state,age,dose\n${ward(20).replaceAll(/(.*),(.*),(.*)/g, '$3,$1,$2')}`);
    for (const label of ['state', '0', 0, -3]) expect((await load({ label })).labels).toEqual(['ill', 'well']);
    await expect(load({ label: 'outcome' })).rejects.toThrow(
      /\[label-missing\] a\.csv has no column "outcome"; it has "state", "age", "dose"/,
    );
    await expect(load({ label: 3 })).rejects.toThrow(/label-missing/);
  });

  it('names the silo that lacks the label', async () => {
    await write('a.csv', `age,dose,state\n${ward(20)}`);
    await write('b.csv', 'age,dose\n1,2\n3,4\n');
    await expect(load()).rejects.toThrow(/\[label-missing\] b\.csv has no column "state"/);
  });

  it('leaves out rows without a label and files without rows, with notes', async () => {
    await write('a.csv', `${ward(20)}\n5,5,\n6,6,?\n`);
    await write('b.csv', '');
    await write('c.csv', '1,2,\n3,4,\n');
    const { clients, notes } = await load();
    expect(clients.map(({ id, train, test }) => [id, train.n + test.n])).toEqual([['a', 20]]);
    expect(notes).toContain('left out 2 of 22 rows of a.csv: no label');
    expect(notes).toContain('left out b.csv: no rows');
  });

  it('accepts a silo with one class or one row', async () => {
    await write('a.csv', ward(40));
    await write('b.csv', '1,2,ill\n3,4,ill\n5,5,ill\n');
    await write('c.csv', '1,2,well\n');
    const { clients } = await load();
    expect(clients.map(({ train, test }) => [train.n, test.n])).toEqual([
      [32, 8],
      [3, 0],
      [1, 0],
    ]);
  });

  it('notes a column that a silo lacks', async () => {
    await write('a.csv', `age,dose,state\n${ward(20)}`);
    await write('b.csv', `age,state\n${ward(20).replaceAll(/,\d,/g, ',')}`);
    const { notes, features } = await load();
    expect(notes).toContain('column "dose" is not in b.csv: taken as missing there');
    expect(features).toEqual(['age', 'dose', 'dose missing']);
  });

  it.each([
    ['another number of columns without headers', '1,2\n3,4\n', /b\.csv:1: 2 columns, a\.csv has 3/],
    ['a ragged row', '1,2,ill\n1,2\n', /b\.csv:2: 2 fields, expected 3/],
    [
      'a header where the others have none',
      'age,dose,state\n1,2,ill\n',
      /b\.csv seems to have a header and a\.csv none/,
    ],
  ])('refuses %s, naming the file', async (_, content, message) => {
    await write('a.csv', ward(20));
    await write('b.csv', content);
    await expect(load()).rejects.toThrow(message);
  });

  it('refuses an absent folder, a file, a folder without silos, and silos without rows', async () => {
    await expect(load()).rejects.toThrow(/\[data-missing\].*holds no \.csv/);
    await write('a.csv', '\n');
    await expect(load()).rejects.toThrow(/\[data-missing\] every file/);
    await expect(load({ dataDir: join(folder, 'a.csv') })).rejects.toThrow(/is a file, expected a folder/);
    await expect(load({ dataDir: join(folder, 'nowhere') })).rejects.toThrow(/does not exist/);
    await expect(load({ dataDir: undefined })).rejects.toThrow(/--data-dir/);
  });

  it('refuses two files that would be one silo', async () => {
    await write('a.csv', ward(20));
    await write('a.csv.gz', gzipSync(ward(20)));
    await expect(load()).rejects.toThrow(/a\.csv and a\.csv\.gz would be the same silo "a"/);
  });

  it('reads a file that is not UTF-8 as Windows-1252', async () => {
    await write(
      'a.csv',
      Buffer.from(
        `ward,dose,state\n${ward(9).replaceAll(/^\d+/gm, 'M\xfcnchen')}\n${ward(9).replaceAll(/^\d+/gm, 'Ulm')}`,
        'latin1',
      ),
    );
    const { features, notes } = await load();
    expect(features).toContain('ward=München');
    expect(notes).toContain('a.csv is not UTF-8, read as Windows-1252');
  });

  it('caps the held-out set by a seeded choice', async () => {
    await write('a.csv', ward(200));
    expect((await load({ heldOut: 11 })).heldOut.n).toBe(11);
  });
});

describe.skipIf(!existsSync(realData))('real tables (skipped where ../shared/data is absent)', () => {
  const rowsOf = (path: string) => {
    const bytes = readFileSync(join(realData, path));
    const text = path.endsWith('.gz') ? gunzipSync(bytes).toString() : bytes.toString();
    return text.split('\n').filter((line) => line !== '');
  };
  const deal = async (rows: readonly string[], silos: number) => {
    for (let k = 0; k < silos; k++) await write(`silo-${k}.csv`, rows.filter((_, i) => i % silos === k).join('\n'));
  };

  it('Pima diabetes: a linear model reaches the published 0.76 to 0.78', async () => {
    await deal(rowsOf('health/pima-indians-diabetes.csv'), 4);
    expect(linearAccuracy(await load())).toBeGreaterThan(0.74);
  });

  it('Wisconsin with its sample ids in front: ids are dropped, a linear model reaches the published 0.95', async () => {
    const random = randomFrom('ids');
    const rows = rowsOf('health/breast-cancer-wisconsin.csv').map(
      (row) => `${60_000 + random.below(13_000_000)},${row}`,
    );
    await deal(rows, 4);
    const federation = await load();
    expect(federation.notes.join()).toContain('dropped column "column 0": looks like an identifier');
    expect(federation.labels).toEqual(['2', '4']);
    expect(linearAccuracy(federation)).toBeGreaterThan(0.94);
  });

  it('Adult, training and test file as silos: dotted labels are the same classes, a linear model reaches the published 0.84', async () => {
    await write('train.csv.gz', readFileSync(join(realData, 'adult/adult-train.csv.gz')));
    await write('test.csv.gz', readFileSync(join(realData, 'adult/adult-test.csv.gz')));
    const federation = await load();
    expect(federation.labels).toEqual(['<=50K', '>50K']);
    expect(federation.clients.map(({ train, test }) => train.n + test.n)).toEqual([16_281, 32_561]);
    expect(linearAccuracy(federation)).toBeGreaterThan(0.835);
  }, 60_000);
});

/** Held-out accuracy of plain logistic regression (SGD, batch 1, two classes) on all training rows together. */
function linearAccuracy({ clients, heldOut, shape: [width] }: Federation): number {
  const weights = new Float64Array(width + 1);
  const score = (x: Float32Array, i: number) => {
    let sum = weights[width];
    for (let j = 0; j < width; j++) sum += weights[j] * x[i * width + j];
    return 1 / (1 + Math.exp(-sum));
  };
  const rows = clients.reduce((sum, { train }) => sum + train.n, 0);
  const random = randomFrom('linear');
  const steps = Math.max(40_000, 3 * rows);
  for (let step = 0; step < steps; step++) {
    const { train } = clients[random.below(clients.length)];
    const i = random.below(train.n);
    const gradient = (score(train.x, i) - train.y[i]) * 0.02 * (1 - step / steps);
    for (let j = 0; j < width; j++) weights[j] -= gradient * train.x[i * width + j];
    weights[width] -= gradient;
  }
  let right = 0;
  for (let i = 0; i < heldOut.n; i++) if (score(heldOut.x, i) > 0.5 === (heldOut.y[i] === 1)) right++;
  return right / heldOut.n;
}
