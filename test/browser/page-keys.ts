import { indexedDbKeys, indexedDbStore } from '../../client/typescript/indexed-db.ts';
import { generateClientKey } from '../../shared/wire/identity/keys.ts';
import { proveRequest } from '../../shared/wire/identity/sign.ts';

/** What Chromium loads: keeps a key that no script can read, finds it again, and signs with it. */
async function work() {
  await indexedDbKeys().set('next', await generateClientKey('tab', false));
  await indexedDbStore().set('pending/task/tab', Uint8Array.of(1, 2, 3));
  // As another page of the same origin would.
  const keys = indexedDbKeys();
  const key = await keys.get('next');
  if (!key) throw new Error('the key was not kept');
  await keys.set('current', key);
  await keys.delete('next');
  const values = indexedDbStore();
  const bytes = await values.get('pending/task/tab');
  await values.delete('pending/task/tab');
  return {
    publicKey: key.publicKey,
    kid: key.kid,
    proof: await proveRequest(key, { method: 'GET', url: 'https://api.test/v1', body: new Uint8Array() }, Date.now()),
    extractable: key.privateKey.extractable,
    exported: await crypto.subtle.exportKey('jwk', key.privateKey).catch(() => 'refused'),
    bytes: [...(bytes ?? [])],
    left: [await keys.get('next'), await values.get('pending/task/tab')].filter((value) => value !== undefined).length,
  };
}

work().then(
  (result) => fetch('/result', { method: 'POST', body: JSON.stringify(result) }),
  (error) => fetch('/error', { method: 'POST', body: String(error) }),
);
