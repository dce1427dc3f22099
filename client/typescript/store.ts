import { FlError } from '../../shared/core/errors.ts';

/** Where a client keeps what must outlive a crash: an update on its way, and the training package. */
export interface Store {
  get(key: string): Promise<Uint8Array | undefined>;
  /**
   * Replaces in one step: after a crash there is the old value or the new one, never a mix.
   * @throws {FlError} `store-full` if there is no room; the old value is still there
   */
  set(key: string, value: Uint8Array): Promise<void>;
  delete(key: string): Promise<void>;
}

/** A store that dies with the process. */
export function memoryStore(): Store {
  const values = new Map<string, Uint8Array>();
  return {
    get: async (key) => values.get(key),
    set: async (key, value) => {
      values.set(key, value);
    },
    delete: async (key) => {
      values.delete(key);
    },
  };
}

export function isNoRoom(error: unknown): error is FlError {
  return error instanceof FlError && error.code === 'store-full';
}
