import { type FileHandle, mkdtemp, open, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { TributaryClient } from '../../client/typescript/client.ts';
import { folderStore, updateFolderStore } from '../../client/typescript/folder-store.ts';
import { keyFileStore, saveKeyFile } from '../../client/typescript/key-file-store.ts';
import type { ParticipationEvent, Train } from '../../client/typescript/participation.ts';
import { ann } from './ann.ts';
import { fakeServer, json, ticket } from './fake-server.ts';

/** What a client leaves on the disk: its key and one update. */

let folder = '';
let store = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tributary-disk-'));
  store = join(folder, 'ann');
});
afterEach(async () => {
  vi.restoreAllMocks();
  await rm(folder, { recursive: true, force: true });
});

const train: Train = async ({ params }) => ({ params: params.values.map((value) => value + 0.5), examples: 4 });
const files = () => readdir(store);
const left = 'pending%2Ftask%2Fann';

function clientOf(server: ReturnType<typeof fakeServer>) {
  const surroundings = { now: () => 0, random: () => 0, sleep: async () => {} };
  return new TributaryClient({
    endpoint: 'http://api.test',
    identity: ann,
    transport: server.transport,
    store: updateFolderStore(store),
    surroundings,
  });
}

/** Disks have no switch for "full": every write from now on stores half of it and fails as write(2) does. */
async function fullDisk(): Promise<void> {
  const probe = await open(join(folder, 'probe'), 'w');
  const handles: FileHandle = Object.getPrototypeOf(probe);
  const write = handles.writeFile;
  vi.spyOn(handles, 'writeFile').mockImplementation(async function (this: FileHandle, data) {
    if (!(data instanceof Uint8Array) && typeof data !== 'string') throw new TypeError('not a whole file');
    await write.call(this, data.slice(0, data.length / 2));
    throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
  });
  await probe.close();
  await rm(join(folder, 'probe'));
}

describe('the disk', () => {
  test('holds nothing after many updates', async () => {
    await clientOf(fakeServer()).participate('task', { train, maxUpdates: 20 });
    expect(await files()).toEqual([]);
  });

  test('holds one update after a crash, and nothing once it is stored', async () => {
    for (let crash = 0; crash < 3; crash++) {
      const dying = fakeServer({ put: Array.from({ length: 6 }, () => new TypeError('killed')) });
      await expect(clientOf(dying).participate('task', { train })).rejects.toMatchObject({ code: 'network' });
      expect(await files()).toEqual([left]);
    }
    const server = fakeServer();
    await clientOf(server).participate('task', { train, maxUpdates: 1 });
    expect([await files(), server.count('ticket')]).toEqual([[], 0]);
  });

  test('holds what a lossy codec left out, and no more', async () => {
    const codec = { kind: 'top-k', fraction: 0.5, compress: 'none' };
    const server = fakeServer({ ticket: Array.from({ length: 5 }, () => json(200, { ...ticket, codec })) });
    await clientOf(server).participate('task', { train, maxUpdates: 5 });
    expect(await files()).toEqual(['residual%2Ftask%2Fann']);
    expect((await stat(join(store, 'residual%2Ftask%2Fann'))).size).toBe(8);
  });

  test('is rid of what a process left that died while it wrote', async () => {
    await clientOf(fakeServer()).participate('task', { train, maxUpdates: 1 });
    await writeFile(join(store, `${left}.01234567-89ab-cdef-0123-456789abcdef.tmp`), 'half of an upd');
    await clientOf(fakeServer()).participate('task', { train, maxUpdates: 1 });
    expect(await files()).toEqual([]);
  });

  test('is for its owner only', async () => {
    await folderStore(store).set('a', Uint8Array.of(1));
    expect(((await stat(store)).mode & 0o777).toString(8)).toBe('700');
    expect(((await stat(join(store, 'a'))).mode & 0o777).toString(8)).toBe('600');
  });
});

describe('a full disk', () => {
  test('is told by name, keeps what was there, and no half of what was not', async () => {
    await folderStore(store).set('a', Uint8Array.of(1, 2));
    await fullDisk();
    const failed = folderStore(store).set('a', Uint8Array.of(3, 4, 5, 6));
    await expect(failed).rejects.toThrow(/\[store-full\] no room on the disk for .*a \(4 bytes\)/);
    expect(await files()).toEqual(['a']);
    expect([...(await readFile(join(store, 'a')))]).toEqual([1, 2]);
  });

  test('does not cost a trained update: it is uploaded unsaved', async () => {
    await fullDisk();
    const server = fakeServer();
    const events: ParticipationEvent[] = [];
    const onEvent = (event: ParticipationEvent) => events.push(event);
    const summary = await clientOf(server).participate('task', { train, maxUpdates: 2, onEvent });
    expect([summary.updates, server.count('put')]).toEqual([2, 2]);
    expect(events.filter(({ kind }) => kind === 'unsaved')).toHaveLength(2);
    expect(await files()).toEqual([]);
  });

  test('does not cost a key: the old one stays', async () => {
    const path = join(folder, 'ann.json');
    await saveKeyFile(path, 'http://api.test', ann);
    await fullDisk();
    await expect(keyFileStore(path, 'http://api.test').set('current', ann)).rejects.toMatchObject({
      code: 'store-full',
    });
    expect(await readdir(folder)).toEqual(['ann.json']);
    expect((await keyFileStore(path, 'http://api.test').get('current'))?.kid).toBe(ann.kid);
  });
});

test('a key file is rid of halves that a crash left, and leaves the files of others alone', async () => {
  const path = join(folder, 'ann.json');
  const half = '01234567-89ab-cdef-0123-456789abcdef.tmp';
  for (const name of [`ann.json.${half}`, `bob.json.${half}`]) await writeFile(join(folder, name), '{');
  await saveKeyFile(path, 'http://api.test', ann);
  expect((await readdir(folder)).sort()).toEqual(['ann.json', `bob.json.${half}`]);
});
