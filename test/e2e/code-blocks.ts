import { readFileSync } from 'node:fs';

/** The fenced code blocks of a language in a Markdown file, in order. */
export function codeBlocks(path: string, language: string): string[] {
  const text = readFileSync(path, 'utf8');
  const blocks = [...text.matchAll(/^```(\w*)\n(.*?)^```$/gms)];
  return blocks.filter(([, found]) => found === language).map(([, , code]) => code);
}
