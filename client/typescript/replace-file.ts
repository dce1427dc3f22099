import { randomUUID } from 'node:crypto';
import { open, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import process from 'node:process';
import { FlError } from '../../shared/core/errors.ts';

const temporaryName = /\.[0-9a-f]{8}-[0-9a-f-]{27}\.tmp$/;

/**
 * Puts a file in the place of the one that is there, in one step, readable by its owner only; it is on the disk before this resolves.
 * @throws {FlError} `store-full` if there is no room; what was there before still is
 */
export async function replaceFile(path: string, value: Uint8Array | string): Promise<void> {
  const temporary = `${path}.${randomUUID()}.tmp`;
  try {
    const file = await open(temporary, 'wx', 0o600);
    try {
      await file.writeFile(value);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (cause) {
    await rm(temporary, { force: true });
    const code = codeOf(cause);
    if (code !== 'ENOSPC' && code !== 'EDQUOT') throw cause;
    throw new FlError('store-full', `no room on the disk for ${path} (${value.length} bytes)`, { cause });
  }
  await syncFolder(dirname(path));
}

/** Removes what writers left behind that died while they wrote. @param file only those for this file; all by default */
export async function sweep(folder: string, file = ''): Promise<void> {
  const names = await readdir(folder).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  });
  const left = names.filter((name) => temporaryName.test(name));
  const ours = left.filter((name) => file === '' || name.replace(temporaryName, '') === basename(file));
  await Promise.all(ours.map((name) => rm(join(folder, name), { force: true })));
}

/** A rename outlives a power cut only once its folder is on the disk too. */
async function syncFolder(folder: string): Promise<void> {
  // Windows opens no folders.
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
