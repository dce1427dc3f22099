import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '..');

/** The parts of the product, the most specific path first. */
const parts = [
  'shared/core',
  'shared/onnx',
  'shared/wire',
  'shared/ports',
  'shared/orchestrator',
  'functions',
  'infra',
  'client',
  'local',
  'bench',
  'test',
  'examples',
] as const;
type Part = (typeof parts)[number];

/** What each part may import: core <- onnx, wire, ports <- orchestrator <- functions <- infra; client sees core, onnx and wire. */
const mayImport: Readonly<Record<Part, readonly Part[]>> = {
  'shared/core': [],
  'shared/onnx': ['shared/core'],
  'shared/wire': ['shared/core'],
  'shared/ports': ['shared/core', 'shared/wire'],
  'shared/orchestrator': ['shared/core', 'shared/wire', 'shared/ports'],
  functions: ['shared/core', 'shared/onnx', 'shared/wire', 'shared/ports', 'shared/orchestrator'],
  infra: ['shared/core', 'shared/wire', 'functions'],
  client: ['shared/core', 'shared/onnx', 'shared/wire'],
  local: [...parts].filter((part) => part !== 'test'),
  bench: [...parts].filter((part) => part !== 'test'),
  // What an operator runs beside a client, such as a page that invites, uses the command line's parts.
  examples: ['client', 'shared/core', 'shared/onnx', 'shared/wire', 'local'],
  test: [...parts],
};

interface Import {
  readonly file: string;
  readonly from: Part;
  readonly specifier: string;
}

const imports: readonly Import[] = parts.flatMap((part) =>
  globSync(`${part}/**/*.{ts,mjs}`, { cwd: root })
    .filter((file) => partOf(file) === part)
    .flatMap((file) => specifiersOf(file).map((specifier) => ({ file, from: part, specifier }))),
);

function specifiersOf(file: string): string[] {
  const source = readFileSync(join(root, file), 'utf8');
  const pattern =
    /(?:^|\n)\s*(?:import|export)\b[^;'"]*?from\s*['"]([^'"]+)['"]|import\(\s*['"]([^'"]+)['"]\s*\)|(?:^|\n)\s*import\s*['"]([^'"]+)['"]/g;
  return [...source.matchAll(pattern)].map((match) => match[1] ?? match[2] ?? match[3]);
}

function partOf(path: string): Part | undefined {
  return parts.find((part) => path === part || path.startsWith(`${part}/`));
}

test('every import follows the arrows of the design', () => {
  const wrong = imports
    .filter(({ specifier }) => specifier.startsWith('.'))
    .map((each) => ({ ...each, to: partOf(normalize(join(dirname(each.file), each.specifier))) }))
    .filter(({ from, to }) => to !== undefined && to !== from && !mayImport[from].includes(to))
    .map(({ file, specifier }) => `${file} -> ${specifier}`);
  expect(wrong).toEqual([]);
});

test('shared/ and client/ know no AWS, and shared/ no node:*, clock or ambient randomness', () => {
  const foreign = imports
    .filter(({ from }) => from.startsWith('shared/') || from === 'client')
    .filter(
      ({ specifier, file }) =>
        specifier.startsWith('@aws') || (specifier.startsWith('node:') && file.startsWith('shared/')),
    )
    .map(({ file, specifier }) => `${file} -> ${specifier}`);
  expect(foreign).toEqual([]);
  const own = globSync('shared/**/*.ts', { cwd: root }).filter((file) => !file.startsWith('shared/onnx/proto/'));
  const ambient = own.filter((file) =>
    /\bDate\.now\b|\bnew Date\(\)|\bMath\.random\b|\bprocess\.|\bperformance\.now\b/.test(
      readFileSync(join(root, file), 'utf8'),
    ),
  );
  expect(ambient).toEqual([]);
});

test('only functions/aws, local and infra speak to AWS', () => {
  const foreign = imports
    .filter(({ specifier }) => specifier.startsWith('@aws-sdk/') || specifier.startsWith('aws-cdk-lib'))
    .filter(({ file }) => !/^(functions\/aws|local|infra|test|bench)\//.test(file))
    .map(({ file, specifier }) => `${file} -> ${specifier}`);
  expect(foreign).toEqual([]);
});

test('the scan sees the imports', () => {
  expect(imports.length).toBeGreaterThan(300);
  expect(imports.map(({ specifier }) => specifier)).toContain('@aws-sdk/client-s3');
});
