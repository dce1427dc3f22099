import { readdirSync, readFileSync } from 'node:fs';
import type { Outcome } from './target.ts';

/** One file of the corpus. */
export interface CorpusEntry {
  readonly target: string;
  readonly file: string;
  /** What must become of it. */
  readonly outcome: Outcome;
  readonly bytes: Uint8Array;
}

const folder = new URL('./corpus/', import.meta.url);
const row = /^\| `([a-z0-9-]+)\/([\w.-]+)` \| (accepted|refused) \| .{5,} \|$/gim;

/** The files that the corpus' README names, each with its line. @throws {Error} on a file without a line */
export function readCorpus(): readonly CorpusEntry[] {
  const text = readFileSync(new URL('README.md', folder), 'utf8');
  const entries = [...text.matchAll(row)].map(([, target, file, outcome]) => ({
    target,
    file,
    outcome: outcome === 'accepted' ? ('accepted' as const) : ('refused' as const),
    bytes: new Uint8Array(readFileSync(new URL(`${target}/${file}`, folder))),
  }));
  const named = new Set(entries.map(({ target, file }) => `${target}/${file}`));
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  for (const { parentPath, name } of files) {
    const path = `${parentPath.split('/').at(-1)}/${name}`;
    if (name !== 'README.md' && !named.has(path)) throw new Error(`corpus: ${path} has no line in README.md`);
  }
  return entries;
}
