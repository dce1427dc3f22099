import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Sha256 } from '@aws-crypto/sha256-js';
import { SignatureV4 } from '@smithy/signature-v4';
import { expect, onTestFinished, test } from 'vitest';
import { createDynamoDb } from '../../local/cloud/dynamodb/service.ts';
import { createSqs } from '../../local/cloud/sqs/service.ts';
import { guardOf, startGateway } from '../local/s3/gateway.ts';
import { key } from '../local/s3/key.ts';

/** Whoever holds a valid key, but sends nonsense: the local cloud answers 4xx and goes on. */

const deep = (levels: number) => '['.repeat(levels) + ']'.repeat(levels);
const options = { guard: guardOf(), meter: { count: () => {} } };

async function folder(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'fuzz-servers-'));
  onTestFinished(() => rm(dir, { recursive: true }));
  return dir;
}

interface Signed {
  readonly service: string;
  readonly method: string;
  readonly path: string;
  readonly query?: Record<string, string>;
  readonly headers?: Record<string, string>;
  readonly body: string | Uint8Array;
}

async function send(url: string, { service, method, path, query = {}, headers = {}, body }: Signed): Promise<Response> {
  const { hostname, host, port } = new URL(url);
  const signer = new SignatureV4({
    service,
    region: 'us-east-1',
    credentials: key,
    sha256: Sha256,
    uriEscapePath: service !== 's3',
  });
  const request = { method, protocol: 'http:', hostname, port: Number(port), path, query, body };
  const signed = await signer.sign({ ...request, headers: { host, ...headers } });
  const parameters = new URLSearchParams(query).toString();
  const sent = method === 'HEAD' ? undefined : typeof body === 'string' ? body : new Uint8Array(body);
  return fetch(`${url}${path}${parameters && `?${parameters}`}`, { method, headers: signed.headers, body: sent });
}

const hostileDeletes: [string, string | Uint8Array][] = [
  ['no XML', 'Delete'],
  ['nothing', ''],
  ['an element that is never closed', '<Delete><Object><Key>a'],
  ['20,000 elements in each other', `<Delete>${'<a>'.repeat(20_000)}${'</a>'.repeat(20_000)}</Delete>`],
  ['entities', '<!DOCTYPE d [<!ENTITY a "b">]><Delete><Object><Key>&a;</Key></Object></Delete>'],
  ['1,001 keys', `<Delete>${'<Object><Key>a</Key></Object>'.repeat(1_001)}</Delete>`],
  ['another document', '<CompleteMultipartUpload><Part/></CompleteMultipartUpload>'],
  ['a character that is none', '<Delete><Object><Key>&#x110000;</Key></Object><Object/></Delete>'],
  ['bytes that are no UTF-8', Uint8Array.of(0x3c, 0xff, 0xfe, 0x3e)],
];
const hostileCompletions: [string, string][] = [
  ['no XML', 'x'],
  ['part 1e308', '<CompleteMultipartUpload><Part><PartNumber>1e308</PartNumber></Part></CompleteMultipartUpload>'],
  ['a part that is text', '<CompleteMultipartUpload><Part>1</Part></CompleteMultipartUpload>'],
  ['no parts', '<CompleteMultipartUpload></CompleteMultipartUpload>'],
];
const hostileJson: [string, string | Uint8Array][] = [
  ['no JSON', '{"a":'],
  ['nothing', ''],
  ['a list', '[]'],
  ['100,000 brackets', `{"a":${deep(100_000)}}`],
  ['a prototype', '{"__proto__":{"polluted":1}}'],
  ['bytes that are no UTF-8', Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d)],
  ['a table that is a number', '{"TableName":1e308,"QueueUrl":1e308}'],
  ['an unknown attribute type', '{"TableName":"t","Item":{"a":{"X":1}}}'],
  ['a number of 400 digits', `{"TableName":"rounds","Item":{"id":{"N":"${'9'.repeat(400)}"}}}`],
  ['half a character', '{"TableName":"\\ud800","QueueUrl":"\\ud800"}'],
];

test('S3 answers 400 to hostile XML, and goes on', async () => {
  const { service, lines } = await startGateway();
  for (const [what, body] of hostileDeletes) {
    const answer = await send(service.url, {
      service: 's3',
      method: 'POST',
      path: '/bbb',
      query: { delete: '' },
      body,
    });
    expect(`${what}: ${answer.status}`).toBe(`${what}: 400`);
  }
  const target = { service: 's3', method: 'POST', path: '/bbb/k' };
  const begun = await send(service.url, { ...target, query: { uploads: '' }, body: '' });
  const uploadId = /<UploadId>([^<]+)</.exec(await begun.text())?.[1] ?? '';
  for (const [what, body] of hostileCompletions) {
    const answer = await send(service.url, { ...target, query: { uploadId }, body });
    expect(`${what}: ${answer.status}`).toBe(`${what}: 400`);
  }
  expect((await send(service.url, { service: 's3', method: 'HEAD', path: '/bbb', body: '' })).status).toBe(200);
  expect(lines).toEqual([]);
});

test('DynamoDB answers 400 to hostile JSON, with the name of an error', async () => {
  const properties = {
    KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
    AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
    BillingMode: 'PAY_PER_REQUEST',
  };
  const service = await createDynamoDb({ ...options, dir: await folder(), tables: [{ name: 'rounds', properties }] });
  onTestFinished(() => service.close());
  for (const operation of ['PutItem', 'UpdateItem', 'Query', 'TransactWriteItems', 'constructor', '__proto__', '']) {
    for (const [what, body] of hostileJson) {
      const headers = { 'x-amz-target': `DynamoDB_20120810.${operation}` };
      const answer = await send(service.url, { service: 'dynamodb', method: 'POST', path: '/', headers, body });
      expect(`${operation} of ${what}: ${answer.status}`).toBe(`${operation} of ${what}: 400`);
      expect(await answer.json()).toHaveProperty('__type');
    }
  }
});

test('SQS answers 400 to hostile JSON', async () => {
  const queue = { name: 'q', arn: 'arn:aws:sqs:us-east-1:000000000000:q', properties: {} };
  const service = await createSqs({ ...options, dir: await folder(), queues: [queue] });
  onTestFinished(() => service.close());
  for (const operation of ['SendMessage', 'SendMessageBatch', 'ReceiveMessage', 'DeleteMessage', 'constructor', '']) {
    for (const [what, body] of hostileJson) {
      const headers = { 'x-amz-target': `AmazonSQS.${operation}` };
      const answer = await send(service.url, { service: 'sqs', method: 'POST', path: '/', headers, body });
      expect(`${operation} of ${what}: ${answer.status}`).toBe(`${operation} of ${what}: 400`);
    }
  }
});
