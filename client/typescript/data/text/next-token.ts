import type { Samples } from '../../../../shared/core/samples.ts';
import { windows } from '../series/windows.ts';

/** Ids of single characters, 0 for one that the vocabulary lacks; a token's id is its position plus 1. */
export function characterIds(vocabulary: readonly string[]): (text: string) => number[] {
  const ids = new Map(vocabulary.map((character, id) => [character, id + 1]));
  return (text) => Array.from(text, (character) => ids.get(character) ?? 0);
}

/**
 * Examples of "what comes after `context` tokens": x `[context]` token ids, y the next one's, for a language model such as
 * `char-transformer` (its vocabulary is one more than the agreed characters, for the unknown).
 * @param stride tokens between the starts of two examples, 1 by default
 */
export function nextTokenSamples(ids: readonly number[], context: number, stride = 1): Samples {
  const { x, y, n, shape } = windows(Float32Array.from(ids), { length: context, horizon: 1, stride });
  return { x, y: Int32Array.from(y), n, shape };
}

/** Token ids at a fixed length: cut off, or filled up with `padding` behind. */
export function padded(ids: readonly number[], length: number, padding = 0): Float32Array {
  const x = new Float32Array(length).fill(padding);
  x.set(ids.slice(0, length));
  return x;
}
