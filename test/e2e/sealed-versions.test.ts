import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { keysOf } from '../../local/cli/verify-statements.ts';
import { verifyVersions } from '../../local/cli/verify-versions.ts';
import {
  contribute,
  createSmallTask,
  freshAssembly,
  type RunningFederation,
  startFederation,
} from './small-federation.ts';

const task = 'sealed';
let federation: RunningFederation;

beforeAll(async () => {
  federation = await startFederation(await freshAssembly());
  await createSmallTask(federation.api, { task, round: { buffer: 1 } });
  for (const client of ['a', 'b']) {
    await contribute(federation, task, client, (at) => Math.sin(at));
    await federation.cloud.idle();
  }
});

afterAll(() => federation.close());

const verify = async () => {
  const key = await federation.api.sealKey();
  const clientKeys = keysOf(await federation.api.clients());
  return (await verifyVersions(federation.api, task, { key, clientKeys, isWhole: () => true })).map(
    ({ problems, unproved }) => [...problems, ...unproved],
  );
};

test('rounds seal their versions, and a model that somebody changes in the bucket is found out', async () => {
  expect(await verify()).toEqual([[], [], []]);
  const { api, cloud } = federation;
  const s3 = new S3Client({
    endpoint: cloud.endpoints.s3,
    region: cloud.credentials.region,
    credentials: cloud.credentials,
    forcePathStyle: true,
  });
  const { modelUrl = '' } = await api.version(task, 1);
  const [, Bucket, ...path] = new URL(modelUrl).pathname.split('/');
  const Key = path.join('/');
  const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }));
  const bytes = (await Body?.transformToByteArray()) ?? new Uint8Array();
  bytes[bytes.length - 1] ^= 1;
  await s3.send(new PutObjectCommand({ Bucket, Key, Body: bytes }));
  s3.destroy();
  expect(await verify()).toEqual([[], [expect.stringContaining('the stored model has SHA-256')], []]);
});
