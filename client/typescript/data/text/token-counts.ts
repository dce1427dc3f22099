import { z } from 'zod';
import { FlError } from '../../../../shared/core/errors.ts';
import { issuesText } from '../issues.ts';

const count = z.number().int().min(1);

/** How often a client's text has each character or word: what clients agree on a vocabulary from. Plain JSON. */
const tokenCountsSchema = z.strictObject({
  format: z.literal('tributary-tokens-1'),
  unit: z.enum(['character', 'word']),
  clients: count,
  /** The token, how often, and in how many clients' text; by code unit. */
  tokens: z.array(z.tuple([z.string().min(1), count, count])),
});
export type TokenCounts = z.output<typeof tokenCountsSchema>;

/** @throws {FlError} summary-invalid */
export function parseTokenCounts(input: unknown): TokenCounts {
  const { data, error } = tokenCountsSchema.safeParse(input);
  if (error) throw new FlError('summary-invalid', issuesText(error));
  return data;
}

/**
 * Counts of one client's tokens. What it says, it says exactly: a word that only this client uses is told to the others, unless the
 * minimum keeps it.
 * @param minimum tokens that are rarer stay on the client
 */
export function countTokens(unit: TokenCounts['unit'], tokens: Iterable<string>, minimum = 1): TokenCounts {
  const counts = new Map<string, number>();
  for (const token of tokens) counts.set(token, (counts.get(token) ?? 0) + 1);
  const told = [...counts]
    .filter(([, times]) => times >= minimum)
    .map(([token, times]): [string, number, number] => [token, times, 1]);
  return { format: 'tributary-tokens-1', unit, clients: 1, tokens: told.sort(byToken) };
}

/** All clients' counts together; in any order and grouping the same. @throws {RangeError} on none, and on different units */
export function mergeTokenCounts(parts: readonly TokenCounts[]): TokenCounts {
  const [first] = parts;
  if (!first) throw new RangeError('parts: none');
  if (parts.some(({ unit }) => unit !== first.unit)) throw new RangeError('parts: characters and words do not merge');
  const merged = new Map<string, [count: number, clients: number]>();
  for (const [token, times, clients] of parts.flatMap(({ tokens }) => tokens)) {
    const [before, seen] = merged.get(token) ?? [0, 0];
    merged.set(token, [before + times, seen + clients]);
  }
  return {
    ...first,
    clients: parts.reduce((sum, { clients }) => sum + clients, 0),
    tokens: [...merged]
      .map(([token, [times, clients]]): [string, number, number] => [token, times, clients])
      .sort(byToken),
  };
}

/**
 * The most frequent tokens, most frequent first, then by code unit.
 * @param minimumClients tokens that fewer clients use are left out
 */
export function frequentTokens({ tokens }: TokenCounts, size: number, minimumClients = 1): string[] {
  return tokens
    .filter(([, , clients]) => clients >= minimumClients)
    .sort((a, b) => b[1] - a[1] || byToken(a, b))
    .slice(0, size)
    .map(([token]) => token);
}

function byToken(a: readonly [string, ...unknown[]], b: readonly [string, ...unknown[]]): number {
  return a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0;
}
