import type { TokenCounts } from './token-counts.ts';

/** Marks the last character of a word, so that `est` inside and at the end are different pieces. */
const wordEnd = '</w>';

/** An agreed segmentation: plain JSON. */
export interface BytePairs {
  /** In the order learned: two neighbours become one piece. */
  readonly merges: readonly (readonly [left: string, right: string])[];
  /** The pieces; a token's id is its position. 0 is `<unk>`. */
  readonly pieces: readonly string[];
}

/**
 * Learns byte-pair encoding of words from all clients' word counts (Sennrich, Haddow and Birch 2016, arXiv:1508.07909, algorithm 1): the
 * most frequent pair of neighbouring pieces becomes one, again and again. Of pairs as frequent, the first by code unit.
 * @param counts of words, as clients told them
 * @param merges how many pieces to add to the single characters
 * @throws {RangeError} on counts of characters
 */
export function learnBytePairs({ unit, tokens }: TokenCounts, merges: number): BytePairs {
  if (unit !== 'word') throw new RangeError(`counts.unit: ${unit}, expected word`);
  const words = tokens.map(([word, count]) => ({ pieces: piecesOf(word), count }));
  const alphabet = [...new Set(words.flatMap(({ pieces }) => pieces))].sort();
  const learned: [string, string][] = [];
  while (learned.length < merges) {
    const best = mostFrequentPair(words);
    if (!best) break;
    learned.push(best);
    for (const word of words) word.pieces = merged(word.pieces, best);
  }
  const made = learned.map(([left, right]) => left + right);
  return { merges: learned, pieces: ['<unk>', ...new Set([...alphabet, ...made])] };
}

/** Words to ids of pieces: the merges apply in the order learned. Characters that no client told are `<unk>`. */
export function bytePairEncoder({ merges, pieces }: BytePairs): (words: readonly string[]) => number[] {
  const ids = new Map(pieces.map((piece, id) => [piece, id]));
  const ranks = new Map(merges.map(([left, right], rank) => [pairKey(left, right), rank]));
  const known = new Map<string, readonly number[]>();
  const encodeWord = (word: string): readonly number[] => {
    let held = piecesOf(word);
    for (;;) {
      let best = Number.POSITIVE_INFINITY;
      for (let i = 0; i + 1 < held.length; i++) {
        best = Math.min(best, ranks.get(pairKey(held[i], held[i + 1])) ?? Number.POSITIVE_INFINITY);
      }
      if (best === Number.POSITIVE_INFINITY) return held.map((piece) => ids.get(piece) ?? 0);
      held = merged(held, merges[best]);
    }
  };
  return (words) =>
    words.flatMap((word) => {
      const before = known.get(word);
      if (before) return before;
      const encoded = encodeWord(word);
      known.set(word, encoded);
      return encoded;
    });
}

function piecesOf(word: string): string[] {
  const characters = [...word];
  return characters.map((character, i) => (i === characters.length - 1 ? character + wordEnd : character));
}

function mostFrequentPair(
  words: readonly { readonly pieces: readonly string[]; readonly count: number }[],
): [string, string] | undefined {
  const counts = new Map<string, { readonly pair: [string, string]; count: number }>();
  for (const { pieces, count } of words) {
    for (let i = 0; i + 1 < pieces.length; i++) {
      const key = pairKey(pieces[i], pieces[i + 1]);
      const seen = counts.get(key);
      if (seen) seen.count += count;
      else counts.set(key, { pair: [pieces[i], pieces[i + 1]], count });
    }
  }
  let best: { readonly key: string; readonly pair: [string, string]; readonly count: number } | undefined;
  for (const [key, { pair, count }] of counts) {
    if (!best || count > best.count || (count === best.count && key < best.key)) best = { key, pair, count };
  }
  return best?.pair;
}

function merged(pieces: readonly string[], [left, right]: readonly [string, string]): string[] {
  const joined: string[] = [];
  for (let i = 0; i < pieces.length; i++) {
    if (pieces[i] === left && pieces[i + 1] === right) {
      joined.push(left + right);
      i++;
    } else {
      joined.push(pieces[i]);
    }
  }
  return joined;
}

/** No piece holds a line feed: words are cut at white space. */
function pairKey(left: string, right: string): string {
  return `${left}\n${right}`;
}
