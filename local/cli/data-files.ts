import { readFile } from 'node:fs/promises';
import { parse as parseYaml } from 'yaml';
import { parseEncoding } from '../../client/typescript/data/table/encoding.ts';
import { UsageError } from './console.ts';

const maxFileBytes = 64 * 2 ** 20;

/** JSON or YAML of a file. @throws {UsageError} */
export async function readStructured(path: string): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    throw new UsageError(`cannot read ${path}: ${cause instanceof Error ? cause.message : cause}`, { cause });
  }
  if (text.length > maxFileBytes) throw new UsageError(`${path}: ${text.length} characters, expected at most 64 MiB`);
  try {
    // YAML reads JSON, slowly.
    return text.trimStart().startsWith('{') ? JSON.parse(text) : parseYaml(text, { maxAliasCount: 100 });
  } catch (cause) {
    const why = cause instanceof Error ? cause.message.split('\n')[0] : cause;
    throw new UsageError(`${path}: not YAML or JSON: ${why}`, { cause });
  }
}

/** The bytes of a complete encoding. @throws {UsageError} */
export async function readEncodingFile(path: string): Promise<Uint8Array> {
  const encoding = parseEncoding(await readStructured(path));
  if (!encoding.complete) {
    throw new UsageError(`${path}: not complete: the silos summarise once more, with data summary --encoding ${path}`);
  }
  return new TextEncoder().encode(JSON.stringify(encoding));
}
