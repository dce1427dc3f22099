import fc from 'fast-check';
import { checkRequest } from '../../../local/cloud/dynamodb/check.ts';
import { apiEvent } from '../../../local/cloud/http-api/event.ts';
import { matchRoute } from '../../../local/cloud/http-api/route.ts';
import { AwsJsonError, isObject, type JsonObject } from '../../../local/cloud/iam/json-server.ts';
import { decodeAwsChunked } from '../../../local/cloud/s3/aws-chunked.ts';
import { S3Error } from '../../../local/cloud/s3/errors.ts';
import { parseRange } from '../../../local/cloud/s3/range.ts';
import { parseTarget } from '../../../local/cloud/s3/target.ts';
import { parseItems } from '../../../local/cloud/s3/xml.ts';
import { SigV4Error, verifySignature } from '../../../local/cloud/sigv4.ts';
import { parseReceiptHandle, receiptHandle } from '../../../local/cloud/sqs/receipt.ts';
import { parseRequest, type RequestName } from '../../../local/cloud/sqs/requests.ts';
import { ApiError } from '../../../local/cloud/states/api-error.ts';
import { ApiRequest } from '../../../local/cloud/states/api-request.ts';
import { hostileStrings } from '../hostile-values.ts';
import { hurtBytes, hurtJsonBytes } from '../mutate.ts';
import { must, NotReached, type Target } from '../target.ts';

const encode = (text: string) => new TextEncoder().encode(text);
const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const isS3 = (error: unknown) => error instanceof S3Error;
const isJson = (error: unknown) => error instanceof AwsJsonError && error.status < 500;

/** Text of its own grammar: its pieces exchanged, and pieces that mean something to a parser put in. */
function hurtText(seeds: readonly string[], pieces: readonly string[]): fc.Arbitrary<Uint8Array> {
  const place = fc.tuple(fc.nat(400), fc.constantFrom(...pieces, ...hostileStrings));
  const filled = fc
    .tuple(fc.constantFrom(...seeds), fc.array(place, { minLength: 1, maxLength: 4 }))
    .map(([seed, places]) =>
      encode(
        places.reduce(
          (text, [at, piece]) => text.slice(0, at % (text.length + 1)) + piece + text.slice(at % (text.length + 1)),
          seed,
        ),
      ),
    );
  return fc.oneof(filled, hurtBytes(seeds.map(encode)));
}

const xmlSeeds = [
  '<Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Object><Key>a</Key></Object><Object><Key>b&amp;c</Key><ETag>e</ETag></Object><Quiet>true</Quiet></Delete>',
  '<?xml version="1.0"?><Delete><Object><Key>&#x61;</Key></Object></Delete>',
];
const xmlPieces = [
  '<',
  '>',
  '&',
  '<![CDATA[',
  ']]>',
  '<!--',
  '-->',
  '<!DOCTYPE x [<!ENTITY a "b">]>',
  '&#0;',
  '&#x110000;',
  '&#xd800;',
  '&a;',
  '<__proto__>',
  '</__proto__>',
  '<constructor/>',
  '<Object>',
  '</Object>',
  '<a b="c">',
  '<?php ?>',
  '<Key>x</Key>',
];

export const xml: Target = {
  name: 'cloud-xml',
  valid: xmlSeeds.map(encode),
  inputs: hurtText(xmlSeeds, xmlPieces),
  read(bytes) {
    const { items } = parseItems(decode(bytes), 'Delete', 'Object');
    must(items.length <= bytes.length, 'more elements than there is text');
  },
  isRefusal: isS3,
};

const chunkSeeds = [
  '5;chunk-signature=0\r\nhello\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n',
  `2328\r\n${'x'.repeat(9000)}\r\n3\r\nend\r\n0\r\n\r\n`,
];

export const awsChunked: Target = {
  name: 'cloud-aws-chunked',
  valid: chunkSeeds.map(encode),
  inputs: hurtText(chunkSeeds, [
    '\r\n',
    '\n',
    '0\r\n',
    'ffffffffff\r\n',
    '-1\r\n',
    ';',
    ':',
    '__proto__:x\r\n',
    '1e9\r\n',
    ' 5\r\n',
  ]),
  async read(bytes) {
    async function* pieces() {
      for (let at = 0; at < bytes.length; at += 1000) yield bytes.subarray(at, at + 1000);
    }
    const trailers = new Map<string, string>();
    let length = 0;
    for await (const chunk of decodeAwsChunked(pieces(), trailers)) length += chunk.length;
    must(length <= bytes.length && trailers.size <= 16, 'more than came');
  },
  isRefusal: isS3,
};

const guard = { secretOf: (id: string) => (id === 'AKIDEXAMPLE' ? 'secret' : undefined), authorize: () => {} };
const scope = 'AKIDEXAMPLE/20260304/us-east-1/s3/aws4_request';
const signature = 'a'.repeat(64);
const signed = [
  {
    method: 'GET',
    url: '/b/k?x=1',
    headers: {
      host: 'h',
      'x-amz-date': '20260304T050607Z',
      'x-amz-content-sha256': 'UNSIGNED-PAYLOAD',
      authorization: `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature=${signature}`,
    },
  },
  {
    method: 'PUT',
    url: `/b/k?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=${encodeURIComponent(scope)}&X-Amz-Date=20260304T050607Z&X-Amz-Expires=900&X-Amz-SignedHeaders=host&X-Amz-Signature=${signature}`,
    headers: { host: 'h' },
  },
].map((request) => JSON.stringify(request));

/** No forged signature stands: the secret is not among what the inputs are made of. */
export const sigV4: Target = {
  name: 'cloud-sigv4',
  valid: [],
  inputs: hurtJsonBytes(signed),
  read(bytes) {
    const request = objectOf(bytes);
    if (typeof request.url !== 'string' || typeof request.method !== 'string') throw new NotReached();
    const headers = Object.entries(isObject(request.headers) ? request.headers : {}).filter(
      ([, value]) => typeof value === 'string',
    );
    const { url, method } = request;
    const nowMs = Date.UTC(2026, 2, 4, 5, 7);
    verifySignature({ url, method, headers: Object.fromEntries(headers) as Record<string, string> }, guard, {
      service: 's3',
      nowMs,
    });
    must(false, 'a forged signature stands');
  },
  isRefusal: (error) => error instanceof SigV4Error && error.status < 500,
};

const urls = ['/bucket/key?x=1&y=a%20b', '/b/a/../b/%E2%82%AC?list-type=2&prefix=', '/'];

export const s3Target: Target = {
  name: 'cloud-s3-target',
  valid: urls.map(encode),
  inputs: hurtText(urls, ['%', '%ff', '%00', '%2e%2e%2f', '?', '&', '=', '+', '//', '..', '%u0041', '&x=1']),
  read(bytes) {
    const text = decode(bytes);
    const { key, query } = parseTarget(text);
    must(Buffer.byteLength(key) <= 1024, 'a key that is too long');
    parseRange(query.get('x') ?? text.slice(0, 30), 1000);
    parseRange(`bytes=${text.slice(-5)}`, 1000);
  },
  isRefusal: isS3,
};

const itemOf = {
  pk: { S: 'TASK#a' },
  sk: { S: 'TASK' },
  n: { N: '1' },
  m: { M: { l: { L: [{ BOOL: true }, { NULL: true }, { B: 'AA==' }] } } },
  ns: { NS: ['1', '2'] },
};
const requestsOf = {
  putItem: [
    {
      TableName: 'table',
      Item: itemOf,
      ConditionExpression: 'attribute_not_exists(pk) AND #n < :n',
      ExpressionAttributeNames: { '#n': 'n' },
      ExpressionAttributeValues: { ':n': { N: '3' } },
    },
  ],
  updateItem: [
    {
      TableName: 'table',
      Key: { pk: { S: 'a' }, sk: { S: 'b' } },
      UpdateExpression: 'SET #n = if_not_exists(#n, :n) + :n REMOVE m ADD ns :s',
      ExpressionAttributeNames: { '#n': 'n' },
      ExpressionAttributeValues: { ':n': { N: '3' }, ':s': { NS: ['1'] } },
    },
  ],
  query: [
    {
      TableName: 'table',
      KeyConditionExpression: 'pk = :p AND begins_with(sk, :s)',
      ExpressionAttributeValues: { ':p': { S: 'a' }, ':s': { S: 'b' } },
      Limit: 10,
      ScanIndexForward: false,
    },
  ],
  getItem: [{ TableName: 'table', Key: { pk: { S: 'a' } }, ConsistentRead: true }],
} as const;

/** DynamoDB's JSON as far as it is looked at before anything is done. */
export const dynamoDb: readonly Target[] = (Object.keys(requestsOf) as (keyof typeof requestsOf)[]).map((action) => {
  const texts = requestsOf[action].map((request) => JSON.stringify(request));
  return {
    name: `cloud-dynamodb-${action}`,
    valid: texts.map(encode),
    inputs: hurtJsonBytes(texts),
    read(bytes: Uint8Array) {
      checkRequest(action, served(bytes));
    },
    isRefusal: isJson,
  };
});

const queueUrl = 'http://127.0.0.1:1/000000000000/q';
const sqsRequests: Partial<Record<RequestName, unknown>> = {
  SendMessage: {
    QueueUrl: queueUrl,
    MessageBody: 'x',
    DelaySeconds: 3,
    MessageAttributes: { a: { DataType: 'String', StringValue: 'b' } },
  },
  SendMessageBatch: { QueueUrl: queueUrl, Entries: [{ Id: 'a', MessageBody: 'x' }] },
  ReceiveMessage: { QueueUrl: queueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 20 },
  DeleteMessage: { QueueUrl: queueUrl, ReceiptHandle: receiptHandle('q', { id: 'i', nonce: 'n' }) },
};

export const sqs: readonly Target[] = (Object.keys(sqsRequests) as RequestName[]).map((name) => {
  const text = JSON.stringify(sqsRequests[name]);
  return {
    name: `cloud-sqs-${name}`,
    valid: [encode(text)],
    inputs: hurtJsonBytes([text]),
    read(bytes: Uint8Array) {
      const request = parseRequest(name, served(bytes));
      if ('ReceiptHandle' in request)
        must(parseReceiptHandle('q', String(request.ReceiptHandle)).id !== undefined, 'no id');
    },
    isRefusal: isJson,
  };
});

const startText = JSON.stringify({
  stateMachineArn: 'arn:aws:states:us-east-1:000000000000:stateMachine:m',
  name: 'n',
  input: '{"a":1}',
});

export const stepFunctions: Target = {
  name: 'cloud-states',
  valid: [encode(startText)],
  inputs: hurtJsonBytes([startText]),
  read(bytes) {
    const request = new ApiRequest(decode(bytes)).knowsOnly('stateMachineArn', 'name', 'input');
    request.arn('stateMachineArn');
    request.executionName();
    JSON.parse(request.executionInput());
  },
  isRefusal: (error) => error instanceof ApiError && error.status < 500,
};

const routes = ['POST /v1/tasks/{task}/tickets', 'GET /v1/tickets/{ticket}', 'ANY /{proxy+}'].map(
  (routeKey) => ({ routeKey, authorization: 'NONE', functionArn: 'f', timeoutMs: 1 }) as never,
);
const paths = ['/v1/tasks/demo/tickets?a=b&a=c&d', '/v1/tickets/AAAA?client=x'];

/** Any URL finds its route or none, and becomes an event that is JSON. */
export const httpApi: Target = {
  name: 'cloud-http-api',
  valid: paths.map(encode),
  inputs: hurtText(paths, ['%', '%ff', '{task}', '//', '..', '&', '=', '__proto__=1', '&constructor=2', '?', '#', ';']),
  read(bytes) {
    const [path, query = ''] = decode(bytes).split('?');
    const match = matchRoute(routes, 'GET', path);
    if (!match) return;
    const event = apiEvent({
      apiId: 'a',
      stage: '$default',
      requestId: 'r',
      method: 'GET',
      path,
      query,
      headers: { host: 'h', cookie: query },
      body: Buffer.from(bytes),
      sourceIp: '::1',
      timeMs: 0,
      match,
    });
    must(JSON.stringify(event).length < 100 * bytes.length + 2_000, 'an event of another size');
  },
};

/** What the JSON servers hand over: they refuse deep nesting and `__proto__` themselves. */
function served(bytes: Uint8Array) {
  const input = objectOf(bytes);
  if (depthOf(input) > 80 || decode(bytes).includes('__proto__')) throw new NotReached();
  return input;
}

function depthOf(value: unknown, depth = 0): number {
  if (depth > 80 || typeof value !== 'object' || value === null) return depth;
  return Math.max(depth, ...Object.values(value).map((inner) => depthOf(inner, depth + 1)));
}

function objectOf(bytes: Uint8Array): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(decode(bytes));
  } catch {
    throw new NotReached();
  }
  if (!isObject(value)) throw new NotReached();
  return value;
}
