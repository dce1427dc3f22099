import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Store } from './store.ts';

/** A store in a folder, for Node: one file a key, replaced by rename. */
export function folderStore(folder: string): Store {
  const pathOf = (key: string) => join(folder, encodeURIComponent(key).replaceAll('.', '%2E'));
  return {
    get: async (key) => {
      try {
        return new Uint8Array(await readFile(pathOf(key)));
      } catch (error) {
        if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
        throw error;
      }
    },
    set: async (key, value) => {
      await mkdir(folder, { recursive: true });
      const temporary = `${pathOf(key)}.${randomUUID()}.tmp`;
      await writeFile(temporary, value, { flush: true });
      await rename(temporary, pathOf(key));
    },
    delete: (key) => rm(pathOf(key), { force: true }),
  };
}
