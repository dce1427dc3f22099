import type { ClientKey } from '../../shared/wire/identity/keys.ts';

/** `current` signs; `next` is made, and kept, before the federation is asked to take it. */
export type KeySlot = 'current' | 'next';

/**
 * Where one client's keys outlive the process, so that no crash and no lost answer leaves it without the key that the
 * federation has registered: `keyFileStore` on Node, `indexedDbKeys` in browsers.
 */
export interface KeyStore {
  get(slot: KeySlot): Promise<ClientKey | undefined>;
  /** Replaces in one step. */
  set(slot: KeySlot, key: ClientKey): Promise<void>;
  delete(slot: KeySlot): Promise<void>;
}

/** A key store that dies with the process. */
export function memoryKeys(): KeyStore {
  const keys = new Map<KeySlot, ClientKey>();
  return {
    get: async (slot) => keys.get(slot),
    set: async (slot, key) => {
      keys.set(slot, key);
    },
    delete: async (slot) => {
      keys.delete(slot);
    },
  };
}

/** The key that waits to be registered, made and kept first if there is none for this client. */
export async function nextKey(keys: KeyStore, client: string, make: () => Promise<ClientKey>): Promise<ClientKey> {
  const [current, waiting] = [await keys.get('current'), await keys.get('next')];
  if (waiting && waiting.client === client && waiting.kid !== current?.kid) return waiting;
  const made = await make();
  await keys.set('next', made);
  return made;
}
