import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  type GetObjectCommandInput,
  HeadBucketCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  ListPartsCommand,
  PutObjectCommand,
  type PutObjectCommandInput,
  type S3Client,
  S3ServiceException,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openS3Endpoint, type S3Endpoint } from './s3-endpoint.ts';

let endpoint: S3Endpoint;
let s3: S3Client;

beforeAll(async () => {
  endpoint = await openS3Endpoint();
  s3 = endpoint.client();
});

afterAll(() => endpoint.close());

describe('objects', () => {
  test('gives back bytes, type and metadata as they were put', async () => {
    const Key = 'kept/a b+c%20ü€.bin';
    const Body = Buffer.from([0, 255, 10, 13, 0]);
    const { ETag } = await put({
      Key,
      Body,
      ContentType: 'application/x-test',
      CacheControl: 'no-store',
      Metadata: { round: '7' },
    });
    // MD5 by `printf '\x00\xff\x0a\x0d\x00' | md5sum`.
    expect(ETag).toBe('"7b69c43e8fdd577d6874802f0b0d9439"');
    const got = await get({ Key });
    expect(await bytes(got)).toEqual(Body);
    expect(got).toMatchObject({
      ETag,
      ContentLength: 5,
      ContentType: 'application/x-test',
      CacheControl: 'no-store',
      Metadata: { round: '7' },
    });
    const head = await s3.send(new HeadObjectCommand({ Bucket: endpoint.bucket, Key }));
    expect(head).toMatchObject({ ETag, ContentLength: 5, Metadata: { round: '7' } });
  });

  test('stores an empty object', async () => {
    await put({ Key: 'empty', Body: '' });
    expect(await bytes(await get({ Key: 'empty' }))).toHaveLength(0);
  });

  test('replaces an object whole: the old type and metadata are gone', async () => {
    await put({ Key: 'replaced', Body: 'first', Metadata: { old: '1' }, ContentType: 'text/plain' });
    await put({ Key: 'replaced', Body: 'second' });
    const got = await get({ Key: 'replaced' });
    expect((await bytes(got)).toString()).toBe('second');
    expect(got.Metadata).toEqual({});
    expect(got.ContentType).not.toBe('text/plain');
  });

  test('takes a stream with a checksum in its trailer', async () => {
    const Body = Buffer.alloc(100_000, 'stream');
    const { ChecksumCRC32 } = await put({
      Key: 'streamed',
      Body: Readable.from([Body.subarray(0, 50_000), Body.subarray(50_000)]),
      ContentLength: Body.length,
    });
    expect(ChecksumCRC32).toMatch(/^[A-Za-z0-9+/]{6}==$/);
    const got = await get({ Key: 'streamed' });
    expect(got.ContentEncoding ?? '').not.toContain('aws-chunked');
    expect((await bytes(got)).equals(Body)).toBe(true);
  });

  test.each(['CRC32', 'CRC32C', 'SHA1', 'SHA256'] as const)('checks and keeps a %s checksum', async (algorithm) => {
    // The check values of "123456789": CRC catalogue (crc32, crc32c) and FIPS 180.
    const expected = {
      CRC32: Buffer.from('cbf43926', 'hex'),
      CRC32C: Buffer.from('e3069283', 'hex'),
      SHA1: Buffer.from('f7c3bc1d808e04732adf679965ccc34ca7ae3441', 'hex'),
      SHA256: Buffer.from('15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225', 'hex'),
    }[algorithm].toString('base64');
    const Key = `checksum/${algorithm}`;
    await put({ Key, Body: '123456789', ChecksumAlgorithm: algorithm });
    const head = await s3.send(new HeadObjectCommand({ Bucket: endpoint.bucket, Key, ChecksumMode: 'ENABLED' }));
    expect(head[`Checksum${algorithm}`]).toBe(expected);
  });

  test('refuses a body that differs from its checksum, and stores nothing', async (context) => {
    ownOrAws(context, 'moto does not check checksums');
    const ChecksumSHA256 = createHash('sha256').update('another').digest('base64');
    expect(await refusal(put({ Key: 'corrupt', Body: 'one', ChecksumSHA256 }))).toEqual(['BadDigest', 400]);
    const ContentMD5 = createHash('md5').update('another').digest('base64');
    expect(await refusal(put({ Key: 'corrupt', Body: 'one', ContentMD5 }))).toEqual(['BadDigest', 400]);
    expect(await refusal(get({ Key: 'corrupt' }))).toEqual(['NoSuchKey', 404]);
  });

  test('answers NoSuchKey to GET and 404 to HEAD of a missing key', async () => {
    expect(await refusal(get({ Key: 'missing' }))).toEqual(['NoSuchKey', 404]);
    const head = s3.send(new HeadObjectCommand({ Bucket: endpoint.bucket, Key: 'missing' }));
    expect((await refusal(head))[1]).toBe(404);
  });

  test('answers NoSuchBucket for a bucket that is not there', async () => {
    const Bucket = `${endpoint.bucket}-missing`;
    expect(await refusal(s3.send(new GetObjectCommand({ Bucket, Key: 'a' })))).toEqual(['NoSuchBucket', 404]);
    expect((await refusal(s3.send(new HeadBucketCommand({ Bucket }))))[1]).toBe(404);
    await expect(s3.send(new HeadBucketCommand({ Bucket: endpoint.bucket }))).resolves.toBeDefined();
  });

  test('deletes one and many, and a missing key without complaint', async () => {
    for (const Key of ['gone/1', 'gone/2 & <3>', 'gone/3']) await put({ Key, Body: 'x' });
    const { bucket: Bucket } = endpoint;
    await s3.send(new DeleteObjectCommand({ Bucket, Key: 'gone/1' }));
    await s3.send(new DeleteObjectCommand({ Bucket, Key: 'gone/1' }));
    const Objects = [{ Key: 'gone/2 & <3>' }, { Key: 'gone/3' }, { Key: 'gone/never' }];
    const { Deleted, Errors } = await s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
    expect(Deleted?.map(({ Key }) => Key)).toEqual(Objects.map(({ Key }) => Key));
    expect(Errors ?? []).toEqual([]);
    expect(await keys('gone/')).toEqual([]);
  });

  test('refuses a key of more than 1024 bytes and takes one of 1024', async (context) => {
    ownOrAws(context, 'moto counts characters');
    await put({ Key: 'k'.repeat(1024), Body: 'x' });
    expect(await refusal(put({ Key: `${'ü'.repeat(512)}k`, Body: 'x' }))).toEqual(['KeyTooLongError', 400]);
  });
});

describe('ranges', () => {
  beforeAll(() => put({ Key: 'digits', Body: '0123456789' }));

  test.each([
    ['bytes=0-0', '0', 'bytes 0-0/10'],
    ['bytes=2-4', '234', 'bytes 2-4/10'],
    ['bytes=7-', '789', 'bytes 7-9/10'],
    ['bytes=8-99', '89', 'bytes 8-9/10'],
    ['bytes=-3', '789', 'bytes 7-9/10'],
    ['bytes=-99', '0123456789', 'bytes 0-9/10'],
  ])('answers %s with 206', async (Range, text, ContentRange) => {
    const got = await get({ Key: 'digits', Range });
    expect(got.$metadata.httpStatusCode).toBe(206);
    expect(got.ContentRange).toBe(ContentRange);
    expect((await bytes(got)).toString()).toBe(text);
  });

  test.each(['bytes=10-', 'bytes=10-12', 'bytes=-0'])('refuses %s with 416', async (Range) => {
    expect(await refusal(get({ Key: 'digits', Range }))).toEqual(['InvalidRange', 416]);
  });

  test('binds a range to an ETag by If-Match', async () => {
    const { ETag } = await get({ Key: 'digits' });
    expect((await bytes(await get({ Key: 'digits', Range: 'bytes=1-2', IfMatch: ETag }))).toString()).toBe('12');
    const other = get({ Key: 'digits', Range: 'bytes=1-2', IfMatch: '"00000000000000000000000000000000"' });
    expect(await refusal(other)).toEqual(['PreconditionFailed', 412]);
  });

  test('answers 304 to If-None-Match with the current ETag', async () => {
    const { ETag } = await get({ Key: 'digits' });
    expect((await refusal(get({ Key: 'digits', IfNoneMatch: ETag })))[1]).toBe(304);
    expect((await bytes(await get({ Key: 'digits', IfNoneMatch: '"other"' }))).toString()).toBe('0123456789');
  });
});

describe('conditional writes', () => {
  test('lets exactly one of racing If-None-Match writers through', async (context) => {
    ownOrAws(context, 'moto checks the condition before the body, without a lock');
    const attempts = Array.from({ length: 12 }, (_, i) => put({ Key: 'race', Body: `writer ${i}`, IfNoneMatch: '*' }));
    const outcomes = await Promise.all(attempts.map((attempt) => attempt.then(() => 'won', statusOf)));
    expect(outcomes.filter((outcome) => outcome === 'won')).toHaveLength(1);
    expect(outcomes.filter((outcome) => outcome === 412 || outcome === 409)).toHaveLength(11);
    const winner = outcomes.indexOf('won');
    expect((await bytes(await get({ Key: 'race' }))).toString()).toBe(`writer ${winner}`);
  });

  test('lets exactly one of racing If-Match writers through', async (context) => {
    ownOrAws(context, 'moto has no If-Match on PutObject');
    const { ETag } = await put({ Key: 'swap', Body: 'v0' });
    const attempts = Array.from({ length: 12 }, (_, i) => put({ Key: 'swap', Body: `v1 ${i}`, IfMatch: ETag }));
    const outcomes = await Promise.all(attempts.map((attempt) => attempt.then(() => 'won', statusOf)));
    expect(outcomes.filter((outcome) => outcome === 'won')).toHaveLength(1);
  });

  test('refuses If-Match where there is no object', async (context) => {
    ownOrAws(context, 'moto has no If-Match on PutObject');
    expect(await refusal(put({ Key: 'nothing', Body: 'x', IfMatch: '"abc"' }))).toEqual(['NoSuchKey', 404]);
  });

  test('takes If-None-Match again once the object is deleted', async () => {
    await put({ Key: 'again', Body: '1', IfNoneMatch: '*' });
    expect(await refusal(put({ Key: 'again', Body: '2', IfNoneMatch: '*' }))).toEqual(['PreconditionFailed', 412]);
    await s3.send(new DeleteObjectCommand({ Bucket: endpoint.bucket, Key: 'again' }));
    await put({ Key: 'again', Body: '3', IfNoneMatch: '*' });
    expect((await bytes(await get({ Key: 'again' }))).toString()).toBe('3');
  });
});

describe('listing', () => {
  const names = [
    'list/a',
    'list/b/1',
    'list/b/2',
    'list/c d&<e>',
    'list/z',
    'list/é',
    'list/\u{ff5e}',
    'list/\u{1f600}',
  ];

  beforeAll(async () => {
    for (const Key of [...names].reverse()) await put({ Key, Body: Key });
  });

  test('orders keys by their UTF-8 bytes', async () => {
    expect(await keys('list/')).toEqual(names);
  });

  test('pages through with continuation tokens, groups counted as one', async () => {
    const seen: string[] = [];
    let ContinuationToken: string | undefined;
    do {
      const page = await s3.send(
        new ListObjectsV2Command({
          Bucket: endpoint.bucket,
          Prefix: 'list/',
          Delimiter: '/',
          MaxKeys: 2,
          ContinuationToken,
        }),
      );
      const items = [
        ...(page.CommonPrefixes ?? []).map(({ Prefix }) => Prefix),
        ...(page.Contents ?? []).map(({ Key }) => Key),
      ];
      expect(page.KeyCount).toBe(items.length);
      expect(items.length).toBeLessThanOrEqual(2);
      for (const item of items) seen.push(item ?? '');
      ContinuationToken = page.NextContinuationToken;
      expect(page.IsTruncated).toBe(ContinuationToken !== undefined);
    } while (ContinuationToken);
    expect(seen.toSorted()).toEqual(['list/b/', ...names.filter((name) => !name.startsWith('list/b/'))].toSorted());
  });

  test('starts after a key and tells size and ETag', async () => {
    const { Contents } = await s3.send(
      new ListObjectsV2Command({ Bucket: endpoint.bucket, Prefix: 'list/', StartAfter: 'list/b/1', MaxKeys: 1 }),
    );
    // MD5 by `printf list/b/2 | md5sum`.
    expect(Contents).toMatchObject([{ Key: 'list/b/2', Size: 8, ETag: '"8cab38fbad2ff53c7d90e454e857aa9e"' }]);
  });
});

describe('multipart uploads', () => {
  const mib5 = 5 * 1024 ** 2;

  test('joins parts in order under an ETag of the ETags', async () => {
    const upload = await start('joined', { ContentType: 'application/x-model', Metadata: { version: '3' } });
    const [one, two] = [Buffer.alloc(mib5, 1), Buffer.from('tail')];
    // Out of order and one part twice, as a retried Lambda sends them.
    const second = await upload.part(2, two);
    await upload.part(1, Buffer.alloc(mib5, 9));
    const first = await upload.part(1, one);
    const { ETag } = await upload.complete([first, second]);
    const md5 = (data: Buffer) => createHash('md5').update(data).digest();
    expect(ETag).toBe(`"${md5(Buffer.concat([md5(one), md5(two)])).toString('hex')}-2"`);
    const got = await get({ Key: 'joined' });
    expect((await bytes(got)).equals(Buffer.concat([one, two]))).toBe(true);
    expect(got).toMatchObject({ ETag, ContentType: 'application/x-model', Metadata: { version: '3' } });
    const across = await get({ Key: 'joined', Range: `bytes=${mib5 - 2}-${mib5 + 1}` });
    expect(await bytes(across)).toEqual(Buffer.from([1, 1, 116, 97]));
  });

  test('composes a SHA-256 of the parts', async (context) => {
    ownOrAws(context, 'moto composes no checksum');
    const upload = await start('composed', { ChecksumAlgorithm: 'SHA256' });
    const data = Buffer.from('only part');
    const sha256 = (input: Buffer) => createHash('sha256').update(input).digest();
    const part = await upload.part(1, data, { ChecksumAlgorithm: 'SHA256' });
    expect(part.ChecksumSHA256).toBe(sha256(data).toString('base64'));
    const { ChecksumSHA256 } = await upload.complete([part]);
    expect(ChecksumSHA256).toBe(`${sha256(sha256(data)).toString('base64')}-1`);
  });

  test('refuses a small part before the last', async () => {
    const upload = await start('small');
    const parts = [await upload.part(1, Buffer.alloc(mib5 - 1)), await upload.part(2, Buffer.from('x'))];
    expect(await refusal(upload.complete(parts))).toEqual(['EntityTooSmall', 400]);
    await upload.abort();
  });

  test('refuses parts out of order, unknown parts and wrong ETags', async (context) => {
    ownOrAws(context, 'moto checks neither order nor ETags');
    const upload = await start('wrong');
    const parts = [await upload.part(1, Buffer.alloc(mib5)), await upload.part(2, Buffer.alloc(mib5, 1))];
    expect(await refusal(upload.complete(parts.toReversed()))).toEqual(['InvalidPartOrder', 400]);
    expect(await refusal(upload.complete([...parts, { PartNumber: 3, ETag: parts[0].ETag }]))).toEqual([
      'InvalidPart',
      400,
    ]);
    expect(await refusal(upload.complete([{ ...parts[0], ETag: parts[1].ETag }]))).toEqual(['InvalidPart', 400]);
    await upload.abort();
  });

  test('completes under If-None-Match only where there is no object', async (context) => {
    ownOrAws(context, 'moto ignores If-None-Match on CompleteMultipartUpload');
    const [first, second] = [await start('once'), await start('once')];
    const [one, two] = [await first.part(1, Buffer.from('first')), await second.part(1, Buffer.from('second'))];
    await first.complete([one], { IfNoneMatch: '*' });
    expect(await refusal(second.complete([two], { IfNoneMatch: '*' }))).toEqual(['PreconditionFailed', 412]);
    expect((await bytes(await get({ Key: 'once' }))).toString()).toBe('first');
    await second.abort();
  });

  test('lists uploads and parts until the upload ends', async (context) => {
    const upload = await start('listed/upload');
    const part = await upload.part(2, Buffer.from('x'));
    const Bucket = endpoint.bucket;
    const listed = async () => (await s3.send(new ListMultipartUploadsCommand({ Bucket, Prefix: 'listed/' }))).Uploads;
    expect(await listed()).toMatchObject([{ Key: 'listed/upload', UploadId: upload.UploadId }]);
    const parts = () => s3.send(new ListPartsCommand({ Bucket, Key: 'listed/upload', UploadId: upload.UploadId }));
    expect((await parts()).Parts).toMatchObject([{ PartNumber: 2, ETag: part.ETag, Size: 1 }]);
    await upload.abort();
    expect(await listed()).toBeUndefined();
    ownOrAws(context, 'moto answers an HTML page from here on');
    expect(await refusal(parts())).toEqual(['NoSuchUpload', 404]);
    expect(await refusal(upload.part(1, Buffer.from('y')))).toEqual(['NoSuchUpload', 404]);
    expect(await refusal(get({ Key: 'listed/upload' }))).toEqual(['NoSuchKey', 404]);
  });

  async function start(Key: string, options: object = {}) {
    const { bucket: Bucket } = endpoint;
    const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket, Key, ...options }));
    const target = { Bucket, Key, UploadId };
    return {
      UploadId,
      part: async (PartNumber: number, Body: Buffer, extra: object = {}): Promise<CompletedPart> => {
        const sent = await s3.send(new UploadPartCommand({ ...target, PartNumber, Body, ...extra }));
        return { PartNumber, ETag: sent.ETag, ChecksumSHA256: sent.ChecksumSHA256 };
      },
      complete: (Parts: CompletedPart[], extra: object = {}) =>
        s3.send(new CompleteMultipartUploadCommand({ ...target, MultipartUpload: { Parts }, ...extra })),
      abort: () => s3.send(new AbortMultipartUploadCommand(target)),
    };
  }
});

function ownOrAws(context: { skip(note: string): void }, why: string): void {
  if (endpoint.kind === 'moto') context.skip(why);
}

function put(input: Omit<PutObjectCommandInput, 'Bucket'>) {
  return s3.send(new PutObjectCommand({ Bucket: endpoint.bucket, ...input }));
}

function get(input: Omit<GetObjectCommandInput, 'Bucket'>) {
  return s3.send(new GetObjectCommand({ Bucket: endpoint.bucket, ...input }));
}

async function bytes(got: Awaited<ReturnType<typeof get>>): Promise<Buffer> {
  return Buffer.from((await got.Body?.transformToByteArray()) ?? []);
}

async function keys(Prefix: string): Promise<(string | undefined)[]> {
  const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: endpoint.bucket, Prefix }));
  return Contents.map(({ Key }) => Key);
}

async function refusal(call: Promise<unknown>): Promise<[string, number | undefined]> {
  const error = await call.then(
    () => new Error('expected a refusal'),
    (reason: unknown) => reason,
  );
  if (!(error instanceof S3ServiceException)) throw error;
  return [error.name, error.$metadata.httpStatusCode];
}

function statusOf(error: unknown): number | undefined {
  if (!(error instanceof S3ServiceException)) throw error;
  return error.$metadata.httpStatusCode;
}
