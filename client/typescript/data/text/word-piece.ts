import { wordsOf } from './words.ts';

/** A word longer than this becomes one unknown token, as in BERT. */
const longestWord = 100;

export interface WordPieceOptions {
  /** The token of what no piece spells. Default `[UNK]`. */
  readonly unknown?: string;
  /** Lower case and no accents. Default true. */
  readonly fold?: boolean;
}

/**
 * Text to pieces of a given vocabulary: the longest piece that starts the word, then the longest `##` piece that goes on (Schuster and
 * Nakajima 2012; the greedy search is BERT's). A word that cannot be spelt is one unknown token.
 * @returns positions in the vocabulary, one per line of a BERT `vocab.txt`
 */
export function wordPieces(
  vocabulary: readonly string[],
  { unknown = '[UNK]', fold = true }: WordPieceOptions = {},
): (text: string) => number[] {
  const ids = new Map(vocabulary.map((piece, id) => [piece, id]));
  const unknownId = ids.get(unknown);
  if (unknownId === undefined) throw new RangeError(`vocabulary: lacks "${unknown}"`);
  return (text) => wordsOf(text, fold).flatMap((word) => piecesOf([...word], ids) ?? [unknownId]);
}

function piecesOf(characters: readonly string[], ids: ReadonlyMap<string, number>): number[] | undefined {
  if (characters.length > longestWord) return undefined;
  const pieces: number[] = [];
  for (let start = 0; start < characters.length; ) {
    let end = characters.length;
    let id: number | undefined;
    for (; end > start && id === undefined; end--) {
      id = ids.get((start > 0 ? '##' : '') + characters.slice(start, end).join(''));
    }
    if (id === undefined) return undefined;
    pieces.push(id);
    start = end + 1;
  }
  return pieces;
}
