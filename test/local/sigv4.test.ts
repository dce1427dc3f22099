import { createHash } from 'node:crypto';
import { Sha256 } from '@aws-crypto/sha256-js';
import { SignatureV4 } from '@smithy/signature-v4';
import { describe, expect, test } from 'vitest';
import type { Guard } from '../../local/cloud/service.ts';
import { type SignedRequest, SigV4Error, verifySignature } from '../../local/cloud/sigv4.ts';

const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret/with+signs' };
const guard = guardOf(credentials.accessKeyId, credentials.secretAccessKey);
const signedAt = new Date('2026-03-04T05:06:07Z');
const nowMs = signedAt.getTime();

describe('examples of the AWS documentation', () => {
  // Amazon S3 API reference, "Signature Calculations: Examples" and "Query Parameters: Example".
  const s3Guard = guardOf('AKIAIOSFODNN7EXAMPLE', 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY');
  const scope = 'AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request';
  const emptyHash = createHash('sha256').digest('hex');
  const may2013 = Date.parse('2013-05-24T00:00:00Z');
  const header = (names: string, signature: string) =>
    `AWS4-HMAC-SHA256 Credential=${scope},SignedHeaders=${names},Signature=${signature}`;

  test.each([
    {
      name: 'GET with a range',
      url: '/test.txt',
      method: 'GET',
      headers: { range: 'bytes=0-9', 'x-amz-content-sha256': emptyHash },
      names: 'host;range;x-amz-content-sha256;x-amz-date',
      signature: 'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
    },
    {
      name: 'PUT of a key with a dollar sign',
      url: '/test%24file.text',
      method: 'PUT',
      headers: {
        date: 'Fri, 24 May 2013 00:00:00 GMT',
        'x-amz-storage-class': 'REDUCED_REDUNDANCY',
        'x-amz-content-sha256': createHash('sha256').update('Welcome to Amazon S3.').digest('hex'),
      },
      names: 'date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class',
      signature: '98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd',
    },
    {
      name: 'a sub-resource without a value',
      url: '/?lifecycle',
      method: 'GET',
      headers: { 'x-amz-content-sha256': emptyHash },
      names: 'host;x-amz-content-sha256;x-amz-date',
      signature: 'fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543',
    },
    {
      name: 'a listing with a query',
      url: '/?prefix=J&max-keys=2',
      method: 'GET',
      headers: { 'x-amz-content-sha256': emptyHash },
      names: 'host;x-amz-content-sha256;x-amz-date',
      signature: '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7',
    },
  ])('accepts $name', ({ url, method, headers, names, signature }) => {
    const common = { host: 'examplebucket.s3.amazonaws.com', 'x-amz-date': '20130524T000000Z' };
    const request = { method, url, headers: { ...common, ...headers, authorization: header(names, signature) } };
    const verified = verifySignature(request, s3Guard, { service: 's3', nowMs: may2013 });
    expect(verified).toEqual({
      accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
      presigned: false,
      signedHeaders: names.split(';'),
    });
  });

  const presignedUrl = `/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=${encodeURIComponent(scope)}&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404`;
  const presigned = { method: 'GET', url: presignedUrl, headers: { host: 'examplebucket.s3.amazonaws.com' } };

  test('accepts the presigned GET until its last second, not after', () => {
    const at = (seconds: number) => ({ service: 's3', nowMs: may2013 + seconds * 1000 });
    expect(verifySignature(presigned, s3Guard, at(86_399)).presigned).toBe(true);
    expect(refusal(() => verifySignature(presigned, s3Guard, at(86_400)))).toEqual(['AccessDenied', 403]);
    expect(() => verifySignature(presigned, s3Guard, at(86_400))).toThrow('Request has expired');
    expect(() => verifySignature(presigned, s3Guard, at(-901))).toThrow('Request is not valid yet');
  });

  test('refuses the presigned GET for another method, path, host, parameter or secret', () => {
    const options = { service: 's3', nowMs: may2013 };
    const other: SignedRequest[] = [
      { ...presigned, method: 'PUT' },
      { ...presigned, url: presignedUrl.replace('/test.txt', '/other.txt') },
      { ...presigned, url: presignedUrl.replace('86400', '86401') },
      { ...presigned, url: `${presignedUrl}&versionId=1` },
      { ...presigned, headers: { host: 'example.org' } },
    ];
    for (const request of other) {
      expect(refusal(() => verifySignature(request, s3Guard, options))).toEqual(['SignatureDoesNotMatch', 403]);
    }
    const otherSecret = guardOf('AKIAIOSFODNN7EXAMPLE', 'another');
    expect(refusal(() => verifySignature(presigned, otherSecret, options))).toEqual(['SignatureDoesNotMatch', 403]);
  });

  test('accepts the IAM ListUsers example', () => {
    // AWS General Reference, "Signature Version 4 signing process".
    const iamGuard = guardOf('AKIDEXAMPLE', 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY');
    const signature = '5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7';
    const request = {
      method: 'GET',
      url: '/?Action=ListUsers&Version=2010-05-08',
      bodySha256: emptyHash,
      headers: {
        host: 'iam.amazonaws.com',
        'content-type': 'application/x-www-form-urlencoded; charset=utf-8',
        'x-amz-date': '20150830T123600Z',
        authorization: `AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, SignedHeaders=content-type;host;x-amz-date, Signature=${signature}`,
      },
    };
    const options = { service: 'iam', nowMs: Date.parse('2015-08-30T12:36:00Z') };
    expect(verifySignature(request, iamGuard, options).accessKeyId).toBe('AKIDEXAMPLE');
  });
});

describe('requests signed by @smithy/signature-v4', () => {
  test.each(['/', '/a%20b/c%2Fd', '/v1//x/./y/../z/', '/%E2%82%AC'])(
    'accepts the path %s for another service',
    async (path) => {
      const request = await signed({ path, service: 'execute-api', body: '{"a":1}' });
      expect(verifySignature(request, guard, { service: 'execute-api', nowMs }).presigned).toBe(false);
    },
  );

  test.each(['/bucket/a%20b', '/bucket/a//b/../c', '/bucket/%C3%BC%2B%25', '/bucket/it%27s%20%28fine%29%2A%21'])(
    'accepts the S3 path %s',
    async (path) => {
      const request = await signed({ path, service: 's3', body: 'x' });
      expect(verifySignature(request, guard, { service: 's3', nowMs }).accessKeyId).toBe('AKIDEXAMPLE');
    },
  );

  test('refuses a body, header or query that changed after signing', async () => {
    const request = await signed({ path: '/', service: 'dynamodb', body: '{}', query: { a: '1' } });
    const options = { service: 'dynamodb', nowMs };
    const changed: SignedRequest[] = [
      { ...request, bodySha256: createHash('sha256').update('{ }').digest('hex') },
      { ...request, headers: { ...request.headers, 'x-amz-target': 'DynamoDB_20120810.DeleteTable' } },
      { ...request, headers: { ...request.headers, 'x-amz-target': undefined } },
      { ...request, url: '/?a=2' },
    ];
    for (const one of changed) {
      expect(refusal(() => verifySignature(one, guard, options))).toEqual(['SignatureDoesNotMatch', 403]);
    }
  });

  test('refuses a clock more than 15 minutes off', async () => {
    const request = await signed({ path: '/', service: 'sqs' });
    for (const skewMs of [-901_000, 901_000]) {
      const options = { service: 'sqs', nowMs: nowMs + skewMs };
      expect(refusal(() => verifySignature(request, guard, options))).toEqual(['RequestTimeTooSkewed', 403]);
    }
    expect(verifySignature(request, guard, { service: 'sqs', nowMs: nowMs + 899_000 }).presigned).toBe(false);
  });

  test('refuses an x-amz header that is not signed', async () => {
    const request = await signed({ path: '/', service: 'sqs' });
    const extended = { ...request, headers: { ...request.headers, 'x-amz-meta-a': 'b' } };
    expect(() => verifySignature(extended, guard, { service: 'sqs', nowMs })).toThrow(/not signed: x-amz-meta-a/);
  });

  test('refuses another service and another region', async () => {
    const request = await signed({ path: '/', service: 'sqs' });
    expect(refusal(() => verifySignature(request, guard, { service: 's3', nowMs }))).toEqual([
      'AuthorizationHeaderMalformed',
      400,
    ]);
    const abroad = await signed({ path: '/', service: 'sqs', region: 'eu-west-1' });
    expect(() => verifySignature(abroad, guard, { service: 'sqs', nowMs })).toThrow(/us-east-1\/sqs, not eu-west-1/);
  });

  test('refuses a key that nobody holds', async () => {
    const request = await signed({ path: '/', service: 'sqs' });
    const nobody = guardOf('AKIDOTHER', 'x');
    const error = errorOf(() => verifySignature(request, nobody, { service: 'sqs', nowMs }));
    expect(error).toMatchObject({ code: 'InvalidAccessKeyId', jsonCode: 'UnrecognizedClientException' });
  });
});

describe('malformed requests', () => {
  const options = { service: 's3', nowMs };
  const host = '127.0.0.1';
  const good = `AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260304/us-east-1/s3/aws4_request, SignedHeaders=host;x-amz-date, Signature=${'0'.repeat(64)}`;
  const refuse = (headers: SignedRequest['headers'], url = '/') =>
    refusal(() => verifySignature({ method: 'GET', url, headers, bodySha256: 'x' }, guard, options));

  test('refuses a request without a signature', () => {
    expect(refuse({ host })).toEqual(['MissingAuthenticationToken', 403]);
  });

  test.each([
    '',
    'Basic YTpi',
    'AWS4-HMAC-SHA256',
    good.replace('AKIDEXAMPLE/', ''),
    good.replace('aws4_request', 'aws5_request'),
    good.replace('host;', ''),
    good.replace('host;x-amz-date', 'x-amz-date;host'),
    good.replace('host;x-amz-date', 'Host;x-amz-date'),
    good.replace('host;x-amz-date', `host;${'a'.repeat(20)}\n`),
    good.replace('0'.repeat(64), '0'.repeat(63)),
    good.replace('0'.repeat(64), 'z'.repeat(64)),
    good.replace('20260304', '20260305'),
  ])('refuses the authorization %j', (authorization) => {
    expect(refuse({ host, authorization, 'x-amz-date': '20260304T050607Z' })).toEqual([
      'AuthorizationHeaderMalformed',
      400,
    ]);
  });

  test.each(['2026-03-04T05:06:07Z', '20260304T056007Z', '20261304T050607Z', ''])('refuses the date %j', (date) => {
    expect(refuse({ host, authorization: good, 'x-amz-date': date })).toEqual(['AuthorizationHeaderMalformed', 400]);
  });

  test.each([
    '/?X-Amz-Signature=00',
    '/?X-Amz-Algorithm=AWS4-HMAC-SHA256',
    ...['0', '-1', '604801', '1e3', '', '99999999999'].map((expires) => presignedUrl({ expires })),
    `${presignedUrl({ expires: '60' })}&X-Amz-Expires=61`,
  ])('refuses the presigned URL %s', (url) => {
    expect(refuse({ host }, url)).toEqual(['AuthorizationQueryParametersError', 400]);
  });

  test('refuses two signatures at once', () => {
    expect(refuse({ host, authorization: good }, presignedUrl({ expires: '60' }))).toEqual(['InvalidArgument', 400]);
  });

  test.each(['/%', '/%zz?a', '/%ff', '/?a=%e0%a4'])('refuses the broken escape in %s', (url) => {
    expect(refuse({ host, authorization: good, 'x-amz-date': '20260304T050607Z' }, url)).toEqual(['InvalidURI', 400]);
  });

  function presignedUrl({ expires }: { expires: string }): string {
    return `/?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%2F20260304%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20260304T050607Z&X-Amz-Expires=${expires}&X-Amz-SignedHeaders=host&X-Amz-Signature=${'0'.repeat(64)}`;
  }
});

interface ToSign {
  readonly path: string;
  readonly service: string;
  readonly region?: string;
  readonly body?: string;
  readonly query?: Record<string, string>;
}

/** A request as it arrives after the SDK's signer has signed it. */
async function signed({ path, service, region = 'us-east-1', body = '', query = {} }: ToSign): Promise<SignedRequest> {
  const signer = new SignatureV4({ credentials, region, service, sha256: Sha256, uriEscapePath: service !== 's3' });
  const headers = { host: '127.0.0.1:4566', 'x-amz-target': 'A  b', 'content-length': String(body.length) };
  const request = { method: 'POST', protocol: 'http:', hostname: '127.0.0.1', port: 4566, path, query, headers, body };
  const result = await signer.sign(request, { signingDate: signedAt });
  const bodySha256 = service === 's3' ? undefined : createHash('sha256').update(body).digest('hex');
  const search = new URLSearchParams(query).toString();
  return { method: 'POST', url: search === '' ? path : `${path}?${search}`, headers: result.headers, bodySha256 };
}

function guardOf(accessKeyId: string, secret: string): Guard {
  return { secretOf: (id) => (id === accessKeyId ? secret : undefined), authorize: () => {} };
}

function errorOf(act: () => unknown): SigV4Error {
  try {
    act();
  } catch (error) {
    if (error instanceof SigV4Error) return error;
    throw error;
  }
  throw new Error('expected a refusal');
}

function refusal(act: () => unknown): [string, number] {
  const { code, status } = errorOf(act);
  return [code, status];
}
