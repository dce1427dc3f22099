import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '..', '..');

/** Languages whose blocks of a page a test runs, or compares with what is so, and where. */
const run: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'client/python/README.md': { python: 'test/e2e/python-client.test.ts' },
  'client/typescript/README.md': { ts: 'test/e2e/python-client.test.ts' },
  'examples/edge/README.md': { sh: 'test/e2e/edge-client.test.ts' },
  'examples/flower/README.md': { sh: 'test/e2e/python-client.test.ts' },
  'examples/java/README.md': { sh: 'test/e2e/java-client.test.ts' },
  'examples/pytorch/README.md': { sh: 'test/e2e/python-client.test.ts' },
  'docs/data.md': {
    ts: 'test/client/data/docs.test.ts',
    yaml: 'test/client/data/docs.test.ts',
    sh: 'test/e2e/own-data.test.ts',
  },
  'docs/write-a-client.md': { json: 'test/client/write-a-client.test.ts' },
};

test('the page of every client is among those that are run', () => {
  const pages = globSync('client/*/README.md', { cwd: root });
  expect(pages.length).toBeGreaterThan(1);
  expect(Object.keys(run)).toEqual(expect.arrayContaining(pages));
});

test.each(Object.entries(run))('every block of %s is run, or the page says beside it why not', (page, languages) => {
  const text = readFileSync(join(root, page), 'utf8');
  const folder = page.split('/').slice(0, -1).at(-1) ?? '';
  for (const [language, file] of Object.entries(languages)) {
    const source = readFileSync(join(root, file), 'utf8');
    expect(source, `${file} reads ${page}`).toContain(
      page.startsWith('docs/') ? page.slice('docs/'.length) : `'${folder}'`,
    );
    expect(source.includes(`'${language}'`) || source.includes(`\`\`\`${language}`), `${file}: ${language}`).toBe(true);
  }
  const parts = text.split(/^```(\w*)\n.*?^```$/gms);
  for (let i = 1; i < parts.length; i += 2) {
    if (languages[parts[i]]) continue;
    const [before, after] = [parts[i - 1].trimEnd().split('\n\n').at(-1), parts[i + 1].trimStart().split('\n\n')[0]];
    expect(`${before}\n${after}`, `${page}: a block that is not run`).toMatch(/\btests? (run|of this page)\b/i);
  }
});
