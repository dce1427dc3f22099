import { describe, expect, test } from 'vitest';
import type { Cell } from '../../../bench/attacks/cell.ts';
import { barsOf, costsOf } from '../../../bench/attacks/report/bars.ts';
import { percentWithSpread, table } from '../../../bench/attacks/report/markdown.ts';
import { report } from '../../../bench/attacks/report/report.ts';
import { figureOf, Results } from '../../../bench/attacks/report/results.ts';
import type { RunRecord } from '../../../bench/attacks/run-record.ts';
import { attackKinds } from '../../../local/attacks/attack.ts';

function record(cell: Partial<Cell>, accuracy: number, given: Partial<RunRecord> = {}): RunRecord {
  return {
    experiment: JSON.stringify(cell),
    cell: { defence: 'none', attack: 'none', share: 0, seed: 1, ...cell },
    accuracies: [accuracy - 0.1, accuracy + 0.1],
    backdoor: [],
    versions: 60,
    attackersInRounds: 0.2,
    rejected: { honest: 0, attackers: 0 },
    cpuSeconds: 30,
    ...given,
  };
}

const surroundings = { machine: 'an abacus', date: '2026-01-02', findings: '## Findings\n\nNone.\n' };
const flipped = { attack: 'sign-flip', share: 0.2 } as const;
const metOf = (records: readonly RunRecord[]) => barsOf(new Results(records)).map(({ met }) => met);

test('a figure is the mean over seeds with the deviation of a sample', () => {
  expect(figureOf([0.8, 0.9, 1])).toEqual({
    mean: expect.closeTo(0.9, 12),
    deviation: expect.closeTo(0.1, 12),
    seeds: 3,
  });
  expect(figureOf([])).toBeUndefined();
});

test('prints the spread of several seeds only', () => {
  expect(percentWithSpread(figureOf([0.8, 0.9, 1]))).toBe('90.0 ± 10.0');
  expect(percentWithSpread(figureOf([0.8]))).toBe('80.0');
  expect(percentWithSpread(undefined)).toBe('–');
});

test('aligns a table', () => {
  const lines = ['| rule   |   a |', '|--------|----:|', '| median | 9.5 |', '| krum   |   – |'];
  expect(
    table(
      ['rule', 'a'],
      [
        ['median', '9.5'],
        ['krum', '–'],
      ],
    ),
  ).toBe(lines.join('\n'));
});

describe('the bars', () => {
  const clean = record({}, 0.92);

  test('are open while runs are missing', () => {
    expect(metOf([])).toEqual(Array(8).fill(undefined));
  });

  test('are met or not by the means', () => {
    expect(metOf([clean, record(flipped, 0.45)])[0]).toBe(true);
    expect(metOf([record({}, 0.89)])[0]).toBe(false);
    expect(metOf([clean, record(flipped, 0.45)])[1]).toBe(true);
    expect(metOf([clean, record(flipped, 0.55)])[1]).toBe(false);
    const defended = (accuracy: number) => metOf([clean, record({ ...flipped, defence: 'median' }, accuracy)])[2];
    expect(defended(0.895)).toBe(true);
    expect(defended(0.885)).toBe(false);
  });

  test('ask the detectors for an AUROC of 0.95', () => {
    const cell = { defence: 'isolation-forest', attack: 'scaled', share: 0.2 } as const;
    expect(metOf([record(cell, 0.9, { areaUnderCurve: 0.96 })])[4]).toBe(true);
    expect(metOf([record(cell, 0.9, { areaUnderCurve: 0.94 })])[4]).toBe(false);
  });
});

test('names what costs over a point without attackers, on the same seeds', () => {
  const results = new Results([
    record({}, 0.9),
    record({ seed: 2 }, 0.5),
    record({ defence: 'krum' }, 0.75),
    record({ defence: 'median' }, 0.88),
    record({ defence: 'bulyan' }, 0.895),
  ]);
  expect(costsOf(results)).toEqual([
    { defence: 'krum', cost: expect.closeTo(0.15, 12) },
    { defence: 'median', cost: expect.closeTo(0.02, 12) },
  ]);
});

test('writes the figures where they belong', () => {
  const rejected = { honest: 0.04, attackers: 0.97 };
  const text = report(
    [
      record({}, 0.912),
      record({ seed: 2 }, 0.922),
      record({ attack: 'backdoor', share: 0.2 }, 0.905, { backdoor: [0.4, 0.6] }),
      record({ defence: 'autoencoder', attack: 'scaled', share: 0.2 }, 0.899, { rejected, areaUnderCurve: 0.9876 }),
    ],
    9,
    surroundings,
  );
  const cellsOf = (line: string) => line.split('|').map((cell) => cell.trim());
  const rows = text.split('\n').map(cellsOf);
  const rowsOf = (name: string) => rows.filter((row) => row[1] === name);
  expect(text).toContain('an abacus: 4 of 9 runs, 2 minutes');
  expect(text).toContain('## Findings\n\nNone.');
  // Headline, accuracy, backdoors, shares.
  expect(rowsOf('none')[0].slice(2, 4)).toEqual(['91.7 ± 0.7', '–']);
  expect(rowsOf('none')[1].slice(2, 6)).toEqual(['91.7', '0.0', '–', '–']);
  expect(rowsOf('none')[1][11]).toBe('90.5');
  expect(rowsOf('none')[2].slice(2, 6)).toEqual(['–', '50.0', '–', '–']);
  expect(rowsOf('autoencoder')[0].slice(2, 9)).toEqual(['–', '–', '–', '–', '–', '89.9', '–']);
  expect(rowsOf('autoencoder').at(-2)?.slice(2, 5)).toEqual(['–', '–', '0.988']);
  expect(rowsOf('autoencoder').at(-1)?.slice(2, 6)).toEqual(['–', '–', '–', '97 / 4']);
});

test('tells the worst attack once all were tried', () => {
  const text = report(
    attackKinds.map((attack, i) => record({ defence: 'median', attack, share: 0.2 }, 0.8 - i / 100)),
    10,
    surroundings,
  );
  expect(text).toMatch(/\| median +\| +– \| +– \| +71.0 \| +80.0 \|/);
});
