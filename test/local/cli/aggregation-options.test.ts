import { describe, expect, test } from 'vitest';
import { parseAttack, parseCodecOption, parseRules } from '../../../local/cli/aggregation-options.ts';

describe('--aggregator', () => {
  test('takes rules in order, each with its main number', () => {
    expect(parseRules('mean')).toEqual([]);
    expect(parseRules('nearest-neighbour-mixing, krum:0.2')).toEqual([
      { kind: 'nearest-neighbour-mixing', attackers: { fraction: 0.3 } },
      { kind: 'krum', attackers: { fraction: 0.2 } },
    ]);
    expect(parseRules('multi-krum:3')).toMatchObject([{ attackers: { count: 3 } }]);
    // 4f + 3 <= n has no solution at 0.3.
    expect(parseRules('bulyan')).toMatchObject([{ attackers: { fraction: 0.2 } }]);
    expect(parseRules('norm-clipping:2.5')).toEqual([{ kind: 'norm-clipping', bound: { kind: 'fixed', norm: 2.5 } }]);
  });

  test.each([
    ['krumm', /"krumm" is no rule\. Expected mean, or of norm-clipping/],
    ['median:2', /median takes no number/],
    ['krum:0.2:1', /Expected a name, or a name and a number/],
    ['krum:many', /Expected a name, or a name and a number/],
    ['krum:0.7', /krum:/],
  ])('refuses %s in a line that says what it takes', (text, message) => {
    expect(() => parseRules(text)).toThrow(message);
  });
});

describe('--codec', () => {
  test('takes a kind, its number, rotation and a lossless format', () => {
    expect(parseCodecOption('int8')).toEqual({ kind: 'int8', block: 256, rotate: false, compress: 'none' });
    expect(parseCodecOption('int4:128+rotate+zstd')).toMatchObject({ block: 128, rotate: true, compress: 'zstd' });
    expect(parseCodecOption('top-k:0.05')).toMatchObject({ fraction: 0.05 });
    expect(parseCodecOption('low-rank:2')).toMatchObject({ rank: 2 });
  });

  test.each(['int9', 'int8+lzma', 'fp16+rotate', 'top-k:2', 'int8:100'])('refuses %s', (text) => {
    expect(() => parseCodecOption(text)).toThrow();
  });
});

describe('--attack', () => {
  test('takes a kind and the share of the clients, a fifth by default', () => {
    expect(parseAttack('alie')).toEqual({ kind: 'alie', share: 0.2 });
    expect(parseAttack('sign-flip:0.4')).toEqual({ kind: 'sign-flip', share: 0.4 });
  });

  test.each(['flip', 'alie:1', 'alie:-1'])('refuses %s', (text) => {
    expect(() => parseAttack(text)).toThrow();
  });
});
