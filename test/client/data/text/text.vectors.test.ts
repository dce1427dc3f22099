import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { bytePairEncoder, learnBytePairs } from '../../../../client/typescript/data/text/byte-pairs.ts';
import { characterIds, nextTokenSamples, padded } from '../../../../client/typescript/data/text/next-token.ts';
import {
  countTokens,
  frequentTokens,
  mergeTokenCounts,
  parseTokenCounts,
} from '../../../../client/typescript/data/text/token-counts.ts';
import { wordPieces } from '../../../../client/typescript/data/text/word-piece.ts';
import { wordsOf } from '../../../../client/typescript/data/text/words.ts';

interface Vectors {
  readonly counts: readonly (readonly [string, number])[];
  readonly merges: readonly (readonly [string, string])[];
  readonly segmented: Readonly<Record<string, readonly string[]>>;
  readonly vocabulary: readonly string[];
  readonly wordPieces: Readonly<Record<string, readonly string[]>>;
}
const vectors = JSON.parse(
  readFileSync(new URL('../../../vectors/data/text.json', import.meta.url), 'utf8'),
) as Vectors;
const allWords = vectors.counts.flatMap(([word, count]) => Array.from({ length: count }, () => word));

describe('byte pairs', () => {
  // Every third word is another client's.
  const clients = [0, 1, 2].map((k) =>
    countTokens(
      'word',
      allWords.filter((_, i) => i % 3 === k),
    ),
  );
  const learned = learnBytePairs(mergeTokenCounts(clients), 60);

  it('learn the merges of the pooled text from the counts of each client', () => {
    expect(learned.merges).toEqual(vectors.merges);
  });

  it('segment known and unknown words as the paper does', () => {
    const encode = bytePairEncoder(learned);
    for (const [word, pieces] of Object.entries(vectors.segmented)) {
      const known = pieces.map((piece) => (learned.pieces.includes(piece) ? piece : '<unk>'));
      expect(encode([word]).map((id) => learned.pieces[id])).toEqual(known);
    }
  });

  it('stop where nothing is left to merge', () => {
    const counts = countTokens('word', ['ab', 'ab']);
    expect(learnBytePairs(counts, 50).merges).toEqual([['a', 'b</w>']]);
    expect(learnBytePairs(counts, 50).pieces).toEqual(['<unk>', 'a', 'b</w>', 'ab</w>']);
  });
});

describe('word pieces', () => {
  it("are BERT's: the longest that fits, then the longest that goes on", () => {
    const encode = wordPieces(vectors.vocabulary);
    for (const [word, pieces] of Object.entries(vectors.wordPieces)) {
      expect(encode(word).map((id) => vectors.vocabulary[id])).toEqual(pieces);
    }
  });

  it('need the unknown token in the vocabulary', () => {
    expect(() => wordPieces(['a'])).toThrow(/lacks "\[UNK\]"/);
  });
});

describe('words', () => {
  it.each([
    ['Hello, World!', ['hello', ',', 'world', '!']],
    ["Résumé: it's 3.5%", ['resume', ':', 'it', "'", 's', '3', '.', '5', '%']],
    ['tab\tline\nzero\u0000width\u200b', ['tab', 'line', 'zerowidth']],
    ['東京 tower', ['東', '京', 'tower']],
    ['', []],
  ])('of %j are %j', (text, words) => expect(wordsOf(text)).toEqual(words));

  it('keep case and accents where asked', () => {
    expect(wordsOf('Résumé', false)).toEqual(['Résumé']);
  });
});

describe('token counts', () => {
  it('keep rare tokens on the client and out of the agreement', () => {
    const [a, b] = ['aaabbc', 'aabx'].map((text) => countTokens('character', text, 2));
    expect(JSON.stringify([a, b])).not.toMatch(/"c"|"x"/);
    const merged = mergeTokenCounts([a, b].map((counts) => parseTokenCounts(JSON.parse(JSON.stringify(counts)))));
    expect(merged.tokens).toEqual([
      ['a', 5, 2],
      ['b', 2, 1],
    ]);
    expect(frequentTokens(merged, 10)).toEqual(['a', 'b']);
    expect(frequentTokens(merged, 10, 2)).toEqual(['a']);
    expect(frequentTokens(merged, 1)).toEqual(['a']);
  });

  it('are not confused by names such as __proto__', () => {
    const counts = countTokens('word', ['__proto__', 'constructor', '__proto__']);
    expect(counts.tokens).toEqual([
      ['__proto__', 2, 1],
      ['constructor', 1, 1],
    ]);
  });
});

describe('text as examples', () => {
  it('predicts each token from those before', () => {
    const ids = characterIds(['a', 'b', 'c'])('abcab?');
    expect(ids).toEqual([1, 2, 3, 1, 2, 0]);
    const { x, y, n, shape } = nextTokenSamples(ids, 3);
    expect([n, shape]).toEqual([3, [3]]);
    expect([...x]).toEqual([1, 2, 3, 2, 3, 1, 3, 1, 2]);
    expect(y).toEqual(Int32Array.of(1, 2, 0));
  });

  it('cuts and fills to a length', () => {
    expect([...padded([5, 6, 7], 2)]).toEqual([5, 6]);
    expect([...padded([5], 3, 9)]).toEqual([5, 9, 9]);
  });
});
