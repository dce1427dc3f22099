import { readdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { Sha256 } from '@aws-crypto/sha256-js';
import {
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type PutObjectCommandInput,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { SignatureV4 } from '@smithy/signature-v4';
import { describe, expect, test } from 'vitest';
import { createS3 } from '../../../local/cloud/s3/server.ts';
import { eventually, guardOf, startGateway } from './gateway.ts';
import { key } from './key.ts';

const Bucket = 'bbb';

describe('permissions', () => {
  test('each operation asks for its IAM action on its ARN', async () => {
    const asked: string[] = [];
    const guard = guardOf((action, resource) => asked.push(`${action} ${resource}`) > 0);
    const { s3 } = await startGateway({ guard });
    await s3.send(new PutObjectCommand({ Bucket, Key: 'a/b c', Body: 'x' }));
    await s3.send(new GetObjectCommand({ Bucket, Key: 'a/b c' }));
    await s3.send(new HeadObjectCommand({ Bucket, Key: 'a/b c' }));
    await s3.send(new ListObjectsV2Command({ Bucket }));
    await s3.send(new CreateMultipartUploadCommand({ Bucket, Key: 'm' }));
    await s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects: [{ Key: 'a/b c' }] } }));
    expect(asked).toEqual([
      's3:PutObject arn:aws:s3:::bbb/a/b c',
      's3:GetObject arn:aws:s3:::bbb/a/b c',
      's3:GetObject arn:aws:s3:::bbb/a/b c',
      's3:ListBucket arn:aws:s3:::bbb',
      's3:PutObject arn:aws:s3:::bbb/m',
      's3:DeleteObject arn:aws:s3:::bbb/a/b c',
    ]);
  });

  test('a refusal names who, what and on what', async () => {
    const { s3 } = await startGateway({ guard: guardOf((action) => action !== 's3:PutObject') });
    const message =
      'role/test is not authorized to perform: s3:PutObject on resource: arn:aws:s3:::bbb/k because no policy allows it';
    const put = s3.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'x' }));
    await expect(put).rejects.toMatchObject({ name: 'AccessDenied', message, $metadata: { httpStatusCode: 403 } });
  });

  test('who may not list a bucket does not learn that a key is missing', async () => {
    const { s3 } = await startGateway({ guard: guardOf((action) => action === 's3:GetObject') });
    await expect(s3.send(new GetObjectCommand({ Bucket, Key: 'k' }))).rejects.toMatchObject({ name: 'AccessDenied' });
  });

  test('DeleteObjects deletes what it may and names what it may not', async () => {
    const guard = guardOf((action, resource) => action !== 's3:DeleteObject' || resource.endsWith('/mine'));
    const { s3 } = await startGateway({ guard });
    for (const Key of ['mine', 'other']) await s3.send(new PutObjectCommand({ Bucket, Key, Body: 'x' }));
    const Delete = { Objects: [{ Key: 'mine' }, { Key: 'other' }] };
    const { Deleted, Errors } = await s3.send(new DeleteObjectsCommand({ Bucket, Delete }));
    expect(Deleted).toEqual([{ Key: 'mine' }]);
    expect(Errors).toMatchObject([{ Key: 'other', Code: 'AccessDenied' }]);
    await expect(s3.send(new HeadObjectCommand({ Bucket, Key: 'other' }))).resolves.toBeDefined();
  });

  test('an unsigned request is refused', async () => {
    const { service } = await startGateway();
    const answer = await fetch(`${service.url}/bbb/k`);
    expect([answer.status, await answer.text()]).toEqual([403, expect.stringContaining('<Code>AccessDenied</Code>')]);
  });
});

describe('what it does not do', () => {
  test.each([
    [
      'CopyObject',
      'x-amz-copy-source',
      (s3) => s3.send(new CopyObjectCommand({ Bucket, Key: 'k', CopySource: 'bbb/j' })),
    ],
    ['object tags', '?tagging', (s3) => s3.send(new GetObjectTaggingCommand({ Bucket, Key: 'k' }))],
    ['old versions', '?versionId', (s3) => s3.send(new GetObjectCommand({ Bucket, Key: 'k', VersionId: '1' }))],
    ['customer keys', 'customer-algorithm', (s3) => put(s3, { SSECustomerAlgorithm: 'AES256' })],
    ['KMS keys', 'aws:kms', (s3) => put(s3, { ServerSideEncryption: 'aws:kms' })],
    ['ACLs', 'x-amz-acl', (s3) => put(s3, { ACL: 'public-read' })],
    ['If-None-Match with an ETag', 'not implemented', (s3) => put(s3, { IfNoneMatch: '"a"' })],
  ] satisfies [string, string, (s3: S3Client) => Promise<object>][])(
    '%s: it says so and tells the log',
    async (_, named, ask) => {
      const { s3, lines } = await startGateway();
      const error = await ask(s3).catch((reason: unknown) => reason);
      expect(error).toMatchObject({ name: 'NotImplemented', $metadata: { httpStatusCode: 501 } });
      expect(String(error)).toContain(named);
      expect(lines.join()).toContain(named);
    },
  );

  function put(s3: S3Client, input: Partial<PutObjectCommandInput>): Promise<object> {
    return s3.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'x', ...input }));
  }

  test('it refuses buckets that ask for events it never sends', async () => {
    const notifications = [{ queueArn: 'q', events: ['s3:ObjectRemoved:*'] }];
    await expect(startGateway({ buckets: [{ name: Bucket, notifications }] })).rejects.toThrow(/ObjectRemoved/);
  });

  test('it does not open a folder that another gateway holds', async () => {
    const { dir } = await startGateway();
    const second = createS3({ dir, guard: guardOf(), meter: { count: () => {} }, buckets: [] });
    await expect(second).rejects.toThrow(/another local cloud/);
  });
});

describe('keys', () => {
  test.each([
    '../../escape',
    '..',
    './a/../b',
    '%2e%2e/%2f',
    'nul\0key',
    '/lead',
    'a//b',
    'CON',
    'x'.repeat(1024),
    '𝄞\r\n<&>',
  ])('hold %j as it is, inside the folder', async (Key) => {
    const { s3, dir } = await startGateway();
    await s3.send(new PutObjectCommand({ Bucket, Key, Body: Key }));
    const got = await s3.send(new GetObjectCommand({ Bucket, Key }));
    expect(await got.Body?.transformToString()).toBe(Key);
    const { Contents } = await s3.send(new ListObjectsV2Command({ Bucket, EncodingType: 'url' }));
    expect(Contents?.map((item) => decodeURIComponent(item.Key ?? ''))).toEqual([Key]);
    const files = (await readdir(dir, { recursive: true })).filter((file) => !file.startsWith('catalog.sqlite'));
    expect(files).toEqual(['bodies', expect.stringMatching(/^bodies.[0-9a-f-]{36}$/)]);
  });

  test.each(['/bbb/%', '/bbb/%ff', '/%zz', 'bbb', '/bbb?a=1&a=2', '/bbb/k?%', `/bbb/${'%41'.repeat(2000)}`])(
    'in the hostile request target %.40s get an answer of 400 or 403',
    async (target) => {
      const { service } = await startGateway();
      const answer = await raw(service.url, `GET ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
      expect(answer).toMatch(/^HTTP\/1.1 40[03] /);
    },
  );
});

test('a conditional write that a deletion overtakes is told to try again', async () => {
  const { s3, dir } = await startGateway();
  const { ETag } = await s3.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'old' }));
  const deleted = Promise.withResolvers<void>();
  async function* slow() {
    yield Buffer.alloc(10_000);
    await deleted.promise;
    yield Buffer.alloc(10_000);
  }
  const input = { Bucket, Key: 'k', Body: Readable.from(slow()), ContentLength: 20_000, IfMatch: ETag };
  const write = s3.send(new PutObjectCommand(input)).catch((reason: unknown) => reason);
  // The second body file shows that the write is under way.
  await eventually(async () => (await readdir(join(dir, 'bodies'))).length).toBe(2);
  await s3.send(new DeleteObjectCommand({ Bucket, Key: 'k' }));
  deleted.resolve();
  expect(await write).toMatchObject({ name: 'ConditionalRequestConflict', $metadata: { httpStatusCode: 409 } });
  await eventually(() => readdir(join(dir, 'bodies'))).toEqual([]);
});

test('an object stays readable to the end while it is replaced and deleted', async () => {
  const { s3, dir } = await startGateway();
  const old = Buffer.alloc(8 * 1024 ** 2, 'o');
  await s3.send(new PutObjectCommand({ Bucket, Key: 'k', Body: old }));
  const reading = await s3.send(new GetObjectCommand({ Bucket, Key: 'k' }));
  await s3.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'new' }));
  await s3.send(new DeleteObjectCommand({ Bucket, Key: 'k' }));
  expect(Buffer.from((await reading.Body?.transformToByteArray()) ?? []).equals(old)).toBe(true);
  await eventually(() => readdir(join(dir, 'bodies'))).toEqual([]);
});

test('a replaced part frees its file, an abort frees all', async () => {
  const { s3, dir } = await startGateway();
  const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket, Key: 'm' }));
  for (const Body of ['one', 'two']) {
    await s3.send(new UploadPartCommand({ Bucket, Key: 'm', UploadId, PartNumber: 1, Body }));
  }
  await eventually(async () => (await readdir(join(dir, 'bodies'))).length).toBe(1);
});

test('a body other than the one that was signed is refused', async () => {
  const { service, s3 } = await startGateway();
  const signer = new SignatureV4({
    service: 's3',
    region: 'us-east-1',
    credentials: key,
    sha256: Sha256,
    uriEscapePath: false,
  });
  const { hostname, host } = new URL(service.url);
  const signed = await signer.sign({
    method: 'PUT',
    protocol: 'http:',
    hostname,
    path: '/bbb/k',
    headers: { host, 'content-length': '5' },
    body: 'right',
  });
  const { host: _, 'content-length': __, ...headers } = signed.headers;
  const answer = await fetch(`${service.url}/bbb/k`, { method: 'PUT', headers, body: 'wrong' });
  expect([answer.status, await answer.text()]).toEqual([400, expect.stringContaining('XAmzContentSHA256Mismatch')]);
  await expect(s3.send(new HeadObjectCommand({ Bucket, Key: 'k' }))).rejects.toMatchObject({ name: 'NotFound' });
});

test('the buckets of the template are there and no other', async () => {
  const { s3 } = await startGateway({ buckets: [{ name: 'zzz' }, { name: 'aaa' }] });
  const { Buckets } = await s3.send(new ListBucketsCommand({}));
  expect(Buckets?.map(({ Name }) => Name)).toEqual(['aaa', 'zzz']);
  await expect(s3.send(new ListObjectsV2Command({ Bucket }))).rejects.toMatchObject({ name: 'NoSuchBucket' });
});

test('requests and bytes are metered by price class', async () => {
  const { s3, usage } = await startGateway();
  await s3.send(new PutObjectCommand({ Bucket, Key: 'k', Body: '12345' }));
  const got = await s3.send(new GetObjectCommand({ Bucket, Key: 'k', Range: 'bytes=0-2' }));
  await got.Body?.transformToString();
  await s3.send(new ListObjectsV2Command({ Bucket }));
  await s3.send(new DeleteObjectCommand({ Bucket, Key: 'k' }));
  expect(Object.fromEntries(usage)).toEqual({
    's3.putRequests': 2,
    's3.bytesIn': 5,
    's3.getRequests': 1,
    's3.bytesOut': 3,
  });
});

test('a browser is told what the CORS rules of the bucket allow', async () => {
  const corsRules = [{ AllowedMethods: ['PUT'], AllowedOrigins: ['*'], AllowedHeaders: ['*'] }];
  const { service } = await startGateway({ buckets: [{ name: Bucket, corsRules }] });
  const ask = (method: string) =>
    fetch(`${service.url}/bbb/k`, {
      method: 'OPTIONS',
      headers: { origin: 'http://page', 'access-control-request-method': method },
    });
  const allowed = await ask('PUT');
  expect([allowed.status, allowed.headers.get('access-control-allow-origin')]).toEqual([200, '*']);
  expect((await ask('DELETE')).status).toBe(403);
  // Even a refusal must be readable to the page that caused it.
  const refused = await fetch(`${service.url}/bbb/k`, { method: 'PUT', headers: { origin: 'http://page' } });
  expect([refused.status, refused.headers.get('access-control-allow-origin')]).toEqual([403, '*']);
});

/** Sends bytes as they are and gives the answer as text. */
async function raw(url: string, request: string): Promise<string> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  socket.end(request);
  return (await socket.toArray()).join('');
}
