import { FlError } from '../../shared/core/errors.ts';
import type { ClientKey } from '../../shared/wire/identity/keys.ts';
import type { KeyStore } from './key-store.ts';
import type { Store } from './store.ts';

/** A browser's IndexedDB: it keeps bytes, and keys that no script can read. */

const table = 'values';

/** A store in IndexedDB. @param name of the database: one for each client */
export function indexedDbStore(name = 'tributary'): Store {
  const values = database(name);
  return {
    get: async (key) => {
      const value: unknown = await values.run('readonly', (store) => store.get(`bytes/${key}`));
      return value instanceof Uint8Array ? value : undefined;
    },
    set: (key, value) => values.run('readwrite', (store) => store.put(new Uint8Array(value), `bytes/${key}`)),
    delete: (key) => values.run('readwrite', (store) => store.delete(`bytes/${key}`)),
  };
}

/** Keys in IndexedDB, which need not be extractable. @param name of the database: one for each client */
export function indexedDbKeys(name = 'tributary'): KeyStore {
  const values = database(name);
  return {
    get: async (slot) => {
      const value: unknown = await values.run('readonly', (store) => store.get(`key/${slot}`));
      return isClientKey(value) ? value : undefined;
    },
    set: (slot, key) => values.run('readwrite', (store) => store.put(key, `key/${slot}`)),
    delete: (slot) => values.run('readwrite', (store) => store.delete(`key/${slot}`)),
  };
}

function database(name: string) {
  let opened: Promise<IDBDatabase> | undefined;
  const open = () =>
    new Promise<IDBDatabase>((resolve, reject) => {
      const request = indexedDB.open(name, 1);
      request.onupgradeneeded = () => request.result.createObjectStore(table);
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(failure(name, request.error));
    });
  return {
    /** Resolves once the transaction is durable. */
    run: async <T>(mode: IDBTransactionMode, act: (store: IDBObjectStore) => IDBRequest): Promise<T> => {
      opened ??= open();
      const transaction = (await opened).transaction(table, mode, { durability: 'strict' });
      const request = act(transaction.objectStore(table));
      return new Promise((resolve, reject) => {
        transaction.oncomplete = () => resolve(request.result);
        transaction.onabort = () => reject(failure(name, transaction.error));
      });
    },
  };
}

function failure(name: string, cause: unknown): FlError {
  const full = cause instanceof DOMException && cause.name === 'QuotaExceededError';
  return new FlError(
    full ? 'store-full' : 'store-failed',
    `IndexedDB ${name}: ${cause instanceof Error ? cause.message : 'unknown'}`,
    {
      cause,
    },
  );
}

/** What this page stored itself: its origin's alone. */
function isClientKey(value: unknown): value is ClientKey {
  return typeof value === 'object' && value !== null && 'privateKey' in value && value.privateKey instanceof CryptoKey;
}
