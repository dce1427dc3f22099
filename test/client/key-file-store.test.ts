import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { keyFileStore, loadKeyFile, saveKeyFile } from '../../client/typescript/key-file-store.ts';
import { generateClientKey } from '../../shared/wire/identity/keys.ts';
import { ann, annKeyFile } from './ann.ts';

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});
function newFile(content?: string, mode = 0o600): string {
  const folder = mkdtempSync(join(tmpdir(), 'tributary-keys-'));
  folders.push(folder);
  const path = join(folder, 'ann.json');
  if (content !== undefined) writeFileSync(path, content);
  if (content !== undefined) chmodSync(path, mode);
  return path;
}

const secret = annKeyFile.privateKey.d;

describe('a key file', () => {
  test('is readable by its owner only, and comes back', async () => {
    const path = newFile();
    await saveKeyFile(path, 'http://api.test', ann);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual(annKeyFile);
    const { endpoint, key } = await loadKeyFile(path);
    expect([endpoint, key.kid]).toEqual(['http://api.test', ann.kid]);
    expect(readdirSync(join(path, '..'))).toEqual(['ann.json']);
  });

  test.each([0o644, 0o640, 0o604, 0o660])('that others may read (mode %o) is refused', async (mode) => {
    const path = newFile(JSON.stringify(annKeyFile), mode);
    await expect(loadKeyFile(path)).rejects.toMatchObject({
      code: 'key-exposed',
      message: expect.stringContaining(`chmod 600 ${path}`),
    });
  });

  test.each([
    ['empty', ''],
    ['cut short', JSON.stringify(annKeyFile).slice(0, -20)],
    ['of another kind', '{"version": 1}'],
    ['with the secret of another key', JSON.stringify(annKeyFile).replace(secret[0], secret[0] === 'A' ? 'B' : 'A')],
  ])('that is %s is refused by name, without a word of what is in it', async (_, content) => {
    const path = newFile(content);
    const error = await loadKeyFile(path).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'key-malformed', message: expect.stringContaining(path) });
    expect(String(error)).not.toContain(secret.slice(1, 20));
  });

  test('that is not there is missing', async () => {
    await expect(loadKeyFile(newFile())).rejects.toMatchObject({ code: 'key-missing' });
  });
});

test('a store of key files keeps the key to come beside the one that signs', async () => {
  const path = newFile();
  const store = keyFileStore(path, 'http://api.test');
  expect([await store.get('current'), await store.get('next')]).toEqual([undefined, undefined]);
  const next = await generateClientKey('ann');
  await store.set('current', ann);
  await store.set('next', next);
  expect([(await store.get('current'))?.kid, (await store.get('next'))?.kid]).toEqual([ann.kid, next.kid]);
  expect(statSync(`${path}.next`).mode & 0o777).toBe(0o600);
  await store.set('current', next);
  await store.delete('next');
  await store.delete('next');
  expect(readdirSync(join(path, '..'))).toEqual(['ann.json']);
  expect((await store.get('current'))?.kid).toBe(next.kid);
});
