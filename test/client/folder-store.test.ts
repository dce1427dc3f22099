import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { folderStore } from '../../client/typescript/folder-store.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tributary-store-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test('gives back what was set, in a new store on the same folder', async () => {
  await folderStore(folder).set('pending/task/ann', Uint8Array.of(1, 2, 3));
  expect(await folderStore(folder).get('pending/task/ann')).toEqual(Uint8Array.of(1, 2, 3));
});

test('has nothing under a key that was never set, or was deleted', async () => {
  const store = folderStore(folder);
  expect(await store.get('a')).toBeUndefined();
  await store.set('a', Uint8Array.of(1));
  await store.delete('a');
  await store.delete('a');
  expect(await store.get('a')).toBeUndefined();
});

test.each(['../outside', '..', '.', '/etc/passwd', 'a/../../b'])('keeps the key %j inside its folder', async (key) => {
  const inner = join(folder, 'inner');
  await folderStore(inner).set(key, Uint8Array.of(1));
  expect(await readdir(folder)).toEqual(['inner']);
  expect(await folderStore(inner).get(key)).toEqual(Uint8Array.of(1));
});

test('leaves no half-written file behind', async () => {
  const store = folderStore(folder);
  await Promise.all([1, 2, 3, 4].map((value) => store.set('a', Uint8Array.of(value))));
  expect(await readdir(folder)).toEqual(['a']);
});
