import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isUpdateKey } from './pending-update.ts';
import { replaceFile, sweep } from './replace-file.ts';
import { memoryStore, type Store } from './store.ts';

/** A store in a folder, for Node: one file a key, replaced by rename. @throws {FlError} from `set`, `store-full` */
export function folderStore(folder: string): Store {
  const pathOf = (key: string) => join(folder, encodeURIComponent(key).replaceAll('.', '%2E'));
  let ready: Promise<unknown> | undefined;
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
      ready ??= mkdir(folder, { recursive: true, mode: 0o700 }).then(() => sweep(folder));
      await ready;
      await replaceFile(pathOf(key), value);
    },
    delete: (key) => rm(pathOf(key), { force: true }),
  };
}

/** A folder for the update on its way and nothing else: what can be downloaded again dies with the process. */
export function updateFolderStore(folder: string): Store {
  const [disk, memory] = [folderStore(folder), memoryStore()];
  const placeOf = (key: string) => (isUpdateKey(key) ? disk : memory);
  return {
    get: (key) => placeOf(key).get(key),
    set: (key, value) => placeOf(key).set(key, value),
    delete: (key) => placeOf(key).delete(key),
  };
}
