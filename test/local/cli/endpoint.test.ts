import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readCloudFile, resolveEndpoint } from '../../../local/cli/endpoint.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tributary-endpoint-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const kept = {
  endpoint: 'http://127.0.0.1:4000',
  region: 'us-east-1',
  credentials: { accessKeyId: 'A', secretAccessKey: 'S' },
};

async function cloudFileWith(content: string): Promise<string> {
  const path = join(folder, 'cloud.json');
  await mkdir(folder, { recursive: true });
  await writeFile(path, content);
  return path;
}

test('finds a kept cloud whose process lives', async () => {
  const path = await cloudFileWith(JSON.stringify({ ...kept, pid: process.pid }));
  expect(await readCloudFile(path)).toMatchObject(kept);
});

test('does not find one whose process is gone, or whose file is damaged', async () => {
  // Linux and macOS give no process a number this high.
  expect(await readCloudFile(await cloudFileWith(JSON.stringify({ ...kept, pid: 2 ** 30 })))).toBeUndefined();
  expect(await readCloudFile(await cloudFileWith('{"endpoint":'))).toBeUndefined();
  expect(await readCloudFile(await cloudFileWith('{"pid":1}'))).toBeUndefined();
  expect(await readCloudFile(join(folder, 'none.json'))).toBeUndefined();
});

test.each([
  ['https://abc.execute-api.eu-central-1.amazonaws.com', {}, 'eu-central-1'],
  ['https://abc.execute-api.cn-north-1.amazonaws.com.cn/', {}, 'cn-north-1'],
  ['https://api.example.org', { AWS_REGION: 'ap-south-1' }, 'ap-south-1'],
  ['https://api.example.org', {}, 'us-east-1'],
  // A name that only looks like an AWS one says nothing about a region.
  ['https://abc.execute-api.evil.amazonaws.com.example.org', { AWS_REGION: 'eu-west-1' }, 'eu-west-1'],
])('signs for the region of %s', async (url, env, region) => {
  expect((await resolveEndpoint(url, env)).region).toBe(region);
});

test('says what to do where there is no endpoint at all', async () => {
  await expect(resolveEndpoint(undefined, {})).rejects.toThrow(/--endpoint.*start --keep/);
});
