import { readFile, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import process from 'node:process';
import { FlError } from '../../shared/core/errors.ts';
import { type ClientKey, keyFileOf, readKeyFile } from '../../shared/wire/identity/keys.ts';
import type { KeyStore } from './key-store.ts';
import { replaceFile, sweep } from './replace-file.ts';

/** Key files, for Node: docs/decisions/0010 and `KeyFile`. */

/**
 * Reads a key file. @throws {FlError} `key-missing`, `key-malformed`; `key-exposed` if others than its owner may read it
 */
export async function loadKeyFile(path: string): Promise<{ readonly endpoint: string; readonly key: ClientKey }> {
  const loaded = await read(path);
  if (!loaded) throw new FlError('key-missing', `there is no key file ${path}`);
  return loaded;
}

/** Writes a key file that only its owner may read, in the place of the one that is there, in one step. */
export async function saveKeyFile(path: string, endpoint: string, key: ClientKey): Promise<void> {
  const text = `${JSON.stringify(await keyFileOf(endpoint, key), undefined, 2)}\n`;
  await replaceFile(path, text);
  await sweep(dirname(path), path);
}

/** One client's keys in a file, and beside it in `FILE.next` the one that the federation has yet to take. */
export function keyFileStore(path: string, endpoint: string): KeyStore {
  const pathOf = { current: path, next: `${path}.next` };
  return {
    get: async (slot) => (await read(pathOf[slot]))?.key,
    set: (slot, key) => saveKeyFile(pathOf[slot], endpoint, key),
    delete: (slot) => rm(pathOf[slot], { force: true }),
  };
}

async function read(path: string): Promise<Awaited<ReturnType<typeof readKeyFile>> | undefined> {
  let text: string;
  try {
    const { mode } = await stat(path);
    if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
      throw new FlError('key-exposed', `${path} can be read by others than its owner: chmod 600 ${path}`);
    }
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    return await readKeyFile(parse(text));
  } catch (error) {
    if (!(error instanceof FlError)) throw error;
    throw new FlError(error.code, `${path}: ${error.message.replace(/^\[[^\]]+\] /, '')}`, { cause: error });
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Not the parser's message: it quotes the text, which holds the secret.
    throw new FlError('key-malformed', 'it is not JSON; it may have been cut short');
  }
}
