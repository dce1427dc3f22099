import { Sha256 } from '@aws-crypto/sha256-js';
import { SignatureV4 } from '@smithy/signature-v4';
import { afterEach, describe, expect, test } from 'vitest';
import { createHttpApi, type HttpApiOptions } from '../../../local/cloud/http-api/http-api.ts';
import type { InvocationResult } from '../../../local/cloud/lambda/invocation.ts';
import { AccessDenied } from '../../../local/cloud/service.ts';
import type { Json } from '../../../local/cloud/template/assembly.ts';
import type { ApiCors, ApiPlan, RoutePlan, StagePlan } from '../../../local/cloud/template/plan.ts';

const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

const keys: Record<string, string> = { ALLOWED: 'secret-a', REFUSED: 'secret-r' };

interface Setup {
  readonly routes?: readonly Partial<RoutePlan>[];
  readonly stages?: readonly StagePlan[];
  readonly cors?: ApiCors;
  readonly reply?: (event: Json) => InvocationResult | Promise<InvocationResult>;
  readonly overrides?: Partial<HttpApiOptions>;
}

async function start({ routes = [{ routeKey: '$default' }], stages, cors, reply, overrides }: Setup) {
  const plan: ApiPlan = {
    id: 'abcdefghij',
    name: 'api',
    logicalId: 'Api',
    cors,
    routes: routes.map((route) => ({
      routeKey: '$default',
      authorization: 'NONE',
      functionArn: 'fn',
      timeoutMs: 30_000,
      ...route,
    })),
    stages: stages ?? [{ name: '$default', routeThrottles: {} }],
  };
  const events: Json[] = [];
  const asked: string[] = [];
  const faults: string[] = [];
  const counted: string[] = [];
  const api = await createHttpApi({
    plan,
    guard: {
      secretOf: (accessKeyId) => keys[accessKeyId],
      authorize(accessKeyId, action, resource) {
        asked.push(`${action} ${resource}`);
        if (accessKeyId !== 'ALLOWED') throw new AccessDenied(accessKeyId, action, resource, 'no');
      },
    },
    meter: { count: (kind) => counted.push(kind) },
    arnOf: () => 'arn:aws:sts::000000000000:assumed-role/caller/local',
    mayInvoke: () => true,
    async invoke(_arn, event) {
      events.push(event);
      return reply ? reply(event) : { payload: { statusCode: 200, body: 'ok' } };
    },
    fault: (text) => faults.push(text),
    ...overrides,
  });
  ends.push(() => api.close());
  return { url: api.url, events, asked, faults, counted, api };
}

describe('the event', () => {
  test('has payload format 2.0', async () => {
    const { url, events } = await start({ routes: [{ routeKey: 'POST /v1/tasks/{task}/tickets' }] });
    await fetch(`${url}/v1/tasks/a%20b/tickets?x=1&x=2&y=a+b`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Cookie: 'c=1; d=2', 'X-Thing': 'T', 'User-Agent': 'probe' },
      body: '{"é":1}',
    });
    expect(events).toEqual([
      {
        version: '2.0',
        routeKey: 'POST /v1/tasks/{task}/tickets',
        rawPath: '/v1/tasks/a%20b/tickets',
        rawQueryString: 'x=1&x=2&y=a+b',
        cookies: ['c=1', 'd=2'],
        headers: expect.objectContaining({ 'content-type': 'application/json', 'x-thing': 'T', 'user-agent': 'probe' }),
        queryStringParameters: { x: '1,2', y: 'a b' },
        pathParameters: { task: 'a b' },
        requestContext: {
          accountId: '000000000000',
          apiId: 'abcdefghij',
          domainName: url.slice('http://'.length),
          domainPrefix: 'abcdefghij',
          http: {
            method: 'POST',
            path: '/v1/tasks/a%20b/tickets',
            protocol: 'HTTP/1.1',
            sourceIp: '127.0.0.1',
            userAgent: 'probe',
          },
          requestId: expect.any(String),
          routeKey: 'POST /v1/tasks/{task}/tickets',
          stage: '$default',
          time: expect.stringMatching(/^\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d \+0000$/),
          timeEpoch: expect.any(Number),
        },
        body: '{"é":1}',
        isBase64Encoded: false,
      },
    ]);
    expect(events[0]).not.toHaveProperty('headers.cookie');
  });

  test('carries bytes in base64', async () => {
    const { url, events } = await start({});
    const headers = { 'content-type': 'application/octet-stream' };
    await fetch(url, { method: 'POST', headers, body: Uint8Array.of(0, 255, 1) });
    expect(events[0]).toMatchObject({ body: 'AP8B', isBase64Encoded: true });
  });
});

describe('the reply', () => {
  test('is what the function says: status, headers, cookies, bytes', async () => {
    const payload = {
      statusCode: 201,
      headers: { 'X-Made': 'yes', 'Content-Type': 'application/octet-stream' },
      cookies: ['a=1', 'b=2'],
      body: 'AP8B',
      isBase64Encoded: true,
    };
    const { url } = await start({ reply: () => ({ payload }) });
    const response = await fetch(url);
    expect(response.status).toBe(201);
    expect(response.headers.get('x-made')).toBe('yes');
    expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
    expect([...new Uint8Array(await response.arrayBuffer())]).toEqual([0, 255, 1]);
  });

  test('of a result without statusCode is that result as JSON', async () => {
    const { url } = await start({ reply: () => ({ payload: { hello: 'you' } }) });
    const response = await fetch(url);
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'application/json']);
    expect(await response.json()).toEqual({ hello: 'you' });
  });

  test.for<[string, InvocationResult, number, string]>([
    [
      'a function that failed',
      { functionError: { errorType: 'E', errorMessage: 'secret' } },
      500,
      'Internal Server Error',
    ],
    ['a malformed result', { payload: { statusCode: 'many' } }, 500, 'Internal Server Error'],
    ['headers that are none', { payload: { statusCode: 200, headers: { a: ['b'] } } }, 500, 'Internal Server Error'],
  ])('of %s tells nothing', async ([, result, status, message]) => {
    const { url } = await start({ reply: () => result });
    const response = await fetch(url);
    expect([response.status, await response.json()]).toEqual([status, { message }]);
  });

  test('is 503 when the integration takes too long', async () => {
    const { url } = await start({ routes: [{ timeoutMs: 50 }], reply: () => new Promise(() => {}) });
    const response = await fetch(url);
    expect([response.status, await response.json()]).toEqual([503, { message: 'Service Unavailable' }]);
  });

  test('is 404 where there is no route', async () => {
    const { url, events } = await start({ routes: [{ routeKey: 'GET /a' }] });
    const response = await fetch(`${url}/b`);
    expect([response.status, await response.json()]).toEqual([404, { message: 'Not Found' }]);
    expect(events).toEqual([]);
  });

  test('is 413 beyond 10 MB', async () => {
    const { url, events } = await start({});
    const response = await fetch(url, { method: 'PUT', body: new Uint8Array(10 * 1024 * 1024 + 1) });
    expect([response.status, await response.json()]).toEqual([413, { message: 'Request Entity Too Large' }]);
    expect(events).toEqual([]);
  });

  test('is 500 where no permission lets the API invoke the function, and the log says which is missing', async () => {
    const asked: string[] = [];
    const { url, faults } = await start({
      routes: [{ routeKey: 'POST /v1/{id}' }],
      overrides: { mayInvoke: (functionArn, source) => asked.push(`${functionArn} ${source}`) < 0 },
    });
    expect((await fetch(`${url}/v1/x`, { method: 'POST' })).status).toBe(500);
    expect(asked).toEqual(['fn arn:aws:execute-api:us-east-1:000000000000:abcdefghij/$default/POST/v1/{id}']);
    expect(faults).toEqual([expect.stringContaining('AWS::Lambda::Permission')]);
  });
});

test('a named stage is the first segment of the path', async () => {
  const { url, events } = await start({
    routes: [{ routeKey: 'GET /a' }],
    stages: [{ name: 'prod', routeThrottles: {} }],
  });
  expect((await fetch(`${url}/prod/a`)).status).toBe(200);
  expect((await fetch(`${url}/a`)).status).toBe(404);
  expect(events).toMatchObject([{ rawPath: '/prod/a', requestContext: { stage: 'prod' } }]);
});

test('throttling lets the burst through, then the rate', async () => {
  let nowMs = 0;
  const { url, counted } = await start({
    stages: [{ name: '$default', throttle: { burst: 2, rate: 10 }, routeThrottles: {} }],
    overrides: { monotonicMs: () => nowMs },
  });
  const ask = async () => (await fetch(url)).status;
  expect([await ask(), await ask(), await ask()]).toEqual([200, 200, 429]);
  nowMs = 100; // a tenth of a second at 10 a second is one more
  expect([await ask(), await ask()]).toEqual([200, 429]);
  expect(counted.filter((kind) => kind === 'http.requests')).toHaveLength(5);
});

describe('CORS', () => {
  const cors: ApiCors = {
    allowOrigins: ['https://app.example'],
    allowMethods: ['GET', 'POST'],
    allowHeaders: ['content-type'],
    exposeHeaders: ['x-made'],
    maxAge: 60,
    allowCredentials: false,
  };

  test('answers a preflight without the function', async () => {
    const { url, events } = await start({ cors });
    const headers = { origin: 'https://app.example', 'access-control-request-method': 'POST' };
    const response = await fetch(url, { method: 'OPTIONS', headers });
    expect(response.status).toBe(204);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'access-control-allow-origin': 'https://app.example',
      'access-control-allow-methods': 'GET,POST',
      'access-control-allow-headers': 'content-type',
      'access-control-max-age': '60',
    });
    expect(events).toEqual([]);
  });

  test('replaces what the function says, and says nothing to another origin', async () => {
    const payload = { statusCode: 200, headers: { 'Access-Control-Allow-Origin': '*' } };
    const { url } = await start({ cors, reply: () => ({ payload }) });
    const mine = await fetch(url, { headers: { origin: 'https://app.example' } });
    const other = await fetch(url, { headers: { origin: 'https://evil.example' } });
    expect(mine.headers.get('access-control-allow-origin')).toBe('https://app.example');
    expect(other.headers.get('access-control-allow-origin')).toBeNull();
  });
});

describe('AWS_IAM', () => {
  const routes = [{ routeKey: 'POST /v1/{id}', authorization: 'AWS_IAM' as const }];

  async function signed(url: string, accessKeyId: string, secretAccessKey: string, body: string) {
    const { hostname, port, host, pathname } = new URL(url);
    const signer = new SignatureV4({
      service: 'execute-api',
      region: 'us-east-1',
      sha256: Sha256,
      credentials: { accessKeyId, secretAccessKey },
    });
    const headers = { host, 'content-type': 'application/json' };
    return signer.sign({
      method: 'POST',
      protocol: 'http:',
      hostname,
      port: Number(port),
      path: pathname,
      headers,
      query: {},
      body,
    });
  }

  const send = async (url: string, headers: Record<string, string>, body: string) => {
    const { host: _host, ...rest } = headers;
    const response = await fetch(url, { method: 'POST', headers: rest, body });
    return response.status;
  };

  test('lets a signed request of an allowed caller in, and tells the function who it is', async () => {
    const { url, events, asked } = await start({ routes });
    const { headers } = await signed(`${url}/v1/x`, 'ALLOWED', 'secret-a', '{}');
    expect(await send(`${url}/v1/x`, headers, '{}')).toBe(200);
    expect(asked).toEqual([
      'execute-api:Invoke arn:aws:execute-api:us-east-1:000000000000:abcdefghij/$default/POST/v1/x',
    ]);
    expect(events).toMatchObject([
      {
        requestContext: {
          authorizer: { iam: { accessKey: 'ALLOWED', userArn: expect.stringContaining('assumed-role') } },
        },
      },
    ]);
  });

  test.for([
    ['REFUSED', 'secret-r', '{}', 'who may not call'],
    ['ALLOWED', 'wrong', '{}', 'with a wrong secret'],
    ['STRANGER', 'secret', '{}', 'whom nobody knows'],
    ['ALLOWED', 'secret-a', '{"a":1}', 'whose body was changed'],
  ])('answers 403 to %s', async ([accessKeyId, secret, sent]) => {
    const { url, events } = await start({ routes });
    const { headers } = await signed(`${url}/v1/x`, accessKeyId, secret, '{}');
    expect(await send(`${url}/v1/x`, headers, sent)).toBe(403);
    expect(events).toEqual([]);
  });

  test('answers 403 to a request without a signature', async () => {
    const { url } = await start({ routes });
    const response = await fetch(`${url}/v1/x`, { method: 'POST' });
    expect([response.status, await response.json()]).toEqual([403, { message: 'Forbidden' }]);
  });
});
