import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { describe, expect, it, vi } from 'vitest';
import { parse } from 'yaml';
import { parsePipeline } from '../../../client/typescript/data/table/pipeline.ts';

const root = join(import.meta.dirname, '..', '..', '..');
const text = readFileSync(join(root, 'docs', 'data.md'), 'utf8');
const blocks = [...text.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code]) => code);

/** Runs a block as a program of its own. @returns what it printed */
async function run(code: string): Promise<string[]> {
  const { outputFiles } = await build({
    stdin: { contents: code.replaceAll("'./tributary/", "'./"), resolveDir: root, loader: 'ts' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    write: false,
    logLevel: 'silent',
  });
  const folder = mkdtempSync(join(tmpdir(), 'tributary-docs-'));
  const lines: string[] = [];
  const log = vi.spyOn(console, 'log').mockImplementation((value: unknown) => lines.push(JSON.stringify(value)));
  try {
    const file = join(folder, 'block.mjs');
    writeFileSync(file, outputFiles[0].text);
    await import(pathToFileURL(file).href);
    return lines;
  } finally {
    log.mockRestore();
    rmSync(folder, { recursive: true });
  }
}

describe('docs/data.md', () => {
  it('shows the pipeline with its defaults', () => {
    const [, yaml] = /```yaml\n([\s\S]*?)```/.exec(text) ?? [];
    expect(parsePipeline(parse(yaml))).toEqual(parsePipeline({ label: 'outcome' }));
  });

  it.each(blocks.map((code, i) => [i + 1, code] as const))('example %i prints what it says', async (_, code) => {
    const promised = [...code.matchAll(/^console\.log\(.*\); \/\/ (.*)$/gm)].map(([, text]) => text);
    expect(promised.length).toBeGreaterThan(0);
    expect(await run(code)).toEqual(promised);
  });
});
