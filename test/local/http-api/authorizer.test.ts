import { request as httpRequest } from 'node:http';
import { afterEach, describe, expect, test } from 'vitest';
import { createHttpApi } from '../../../local/cloud/http-api/http-api.ts';
import type { InvocationResult } from '../../../local/cloud/lambda/invocation.ts';
import type { Json } from '../../../local/cloud/template/assembly.ts';

/** Expected forms are those of "Control access to HTTP APIs with AWS Lambda authorizers", API Gateway developer guide. */

const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

const allow: InvocationResult = { payload: { isAuthorized: true, context: { client: 'a', level: 1 } } };
const cors = {
  allowOrigins: ['*'],
  allowMethods: ['POST'],
  allowHeaders: ['authorization'],
  exposeHeaders: ['date'],
  allowCredentials: false,
};

async function start(answer: InvocationResult, mayInvoke = (_functionArn: string, _source: string) => true) {
  const asked: Json[] = [];
  const events: Json[] = [];
  const faults: string[] = [];
  const authorization = { id: 'auth000001', functionArn: 'authorizer', identityHeaders: ['authorization'] };
  const api = await createHttpApi({
    plan: {
      id: 'abcdefghij',
      name: 'api',
      logicalId: 'Api',
      cors,
      routes: [{ routeKey: 'POST /v1/{id}', authorization, functionArn: 'fn', timeoutMs: 30_000 }],
      stages: [{ name: '$default', routeThrottles: {} }],
    },
    guard: { secretOf: () => undefined, authorize() {} },
    meter: { count() {} },
    arnOf: () => '',
    mayInvoke,
    async invoke(functionArn, event) {
      (functionArn === 'fn' ? events : asked).push(event);
      return functionArn === 'fn' ? { payload: { statusCode: 200, body: 'ok' } } : answer;
    },
    fault: (text) => faults.push(text),
  });
  ends.push(() => api.close());
  const call = (headers: Record<string, string> = { authorization: 'Token 1' }) =>
    fetch(`${api.url}/v1/x?q=1`, { method: 'POST', headers, body: 'body' });
  return { url: api.url, call, asked, events, faults };
}

const outcome = async (response: Response) => [response.status, await response.text()];

test('asks with the event of format 2.0, which has no body', async () => {
  const { url, call, asked } = await start(allow);
  await call({ authorization: 'Token 1', cookie: 'c=1; d=2', 'user-agent': 'probe' });
  expect(asked).toEqual([
    {
      version: '2.0',
      type: 'REQUEST',
      routeArn: 'arn:aws:execute-api:us-east-1:000000000000:abcdefghij/$default/POST/v1/x',
      identitySource: ['Token 1'],
      routeKey: 'POST /v1/{id}',
      rawPath: '/v1/x',
      rawQueryString: 'q=1',
      cookies: ['c=1', 'd=2'],
      headers: expect.objectContaining({ authorization: 'Token 1', 'user-agent': 'probe' }),
      queryStringParameters: { q: '1' },
      requestContext: {
        accountId: '000000000000',
        apiId: 'abcdefghij',
        domainName: new URL(url).host,
        domainPrefix: 'abcdefghij',
        http: { method: 'POST', path: '/v1/x', protocol: 'HTTP/1.1', sourceIp: '127.0.0.1', userAgent: 'probe' },
        requestId: expect.any(String),
        routeKey: 'POST /v1/{id}',
        stage: '$default',
        time: expect.any(String),
        timeEpoch: expect.any(Number),
      },
      pathParameters: { id: 'x' },
    },
  ]);
});

test('lets in whom the authorizer lets in, with its context, and asks again for the same request', async () => {
  const { call, asked, events } = await start(allow);
  expect([(await call()).status, (await call()).status]).toEqual([200, 200]);
  expect(asked).toHaveLength(2);
  expect(events).toMatchObject([
    { body: 'body', requestContext: { authorizer: { lambda: { client: 'a', level: 1 } } } },
    {},
  ]);
});

describe('does not call the function', () => {
  test.for<[string, InvocationResult, Record<string, string>, number, string]>([
    ['without its identity source: 401', allow, {}, 401, 'Unauthorized'],
    ['with an empty one: 401', allow, { authorization: '' }, 401, 'Unauthorized'],
    ['when denied: 403', { payload: { isAuthorized: false } }, { authorization: 'x' }, 403, 'Forbidden'],
    [
      'after an answer of another form: 500',
      { payload: { principalId: 'me' } },
      { authorization: 'x' },
      500,
      'Internal Server Error',
    ],
    ['after a text that is no answer: 500', { payload: 'true' }, { authorization: 'x' }, 500, 'Internal Server Error'],
    [
      'when the authorizer fails: 500',
      { functionError: { errorType: 'Sandbox.Timedout', errorMessage: 'secret' } },
      { authorization: 'x' },
      500,
      'Internal Server Error',
    ],
  ])('%s', async ([, answer, headers, status, message]) => {
    const { call, events } = await start(answer);
    expect(await outcome(await call(headers))).toEqual([status, JSON.stringify({ message })]);
    expect(events).toEqual([]);
  });

  test('when no permission names the authorizer: 500, and the log says which is missing', async () => {
    const sources: string[] = [];
    const { call, asked, events, faults } = await start(allow, (functionArn, source) => {
      sources.push(`${functionArn} ${source}`);
      return functionArn === 'fn';
    });
    expect((await call()).status).toBe(500);
    expect(sources.at(-1)).toBe(
      'authorizer arn:aws:execute-api:us-east-1:000000000000:abcdefghij/authorizers/auth000001',
    );
    expect([asked, events]).toEqual([[], []]);
    expect(faults).toEqual([expect.stringContaining('AWS::Lambda::Permission')]);
  });
});

test('tells a page in a browser the date of a refusal', async () => {
  const { call } = await start({ payload: { isAuthorized: false } });
  const { headers } = await call({ authorization: 'x', origin: 'https://app.example' });
  expect(Math.abs(Date.parse(headers.get('date') ?? '') - Date.now())).toBeLessThan(60_000);
  expect(headers.get('access-control-expose-headers')).toBe('date');
  expect(headers.get('access-control-allow-origin')).toBe('*');
});

test('asks nobody about a preflight', async () => {
  const { url, asked } = await start(allow);
  const headers = { origin: 'https://app.example', 'access-control-request-method': 'POST' };
  const response = await fetch(`${url}/v1/x`, { method: 'OPTIONS', headers });
  expect([response.status, asked]).toEqual([204, []]);
});

test('passes two values of a header on as one, joined', async () => {
  const { url, asked } = await start(allow);
  await new Promise<void>((resolve, reject) => {
    const headers = ['host', new URL(url).host, 'authorization', 'one', 'authorization', 'two'];
    const sent = httpRequest(`${url}/v1/x`, { method: 'POST', headers }, (response) => {
      response.resume().once('end', resolve);
    });
    sent.once('error', reject).end();
  });
  expect(asked).toMatchObject([{ headers: { authorization: 'one, two' }, identitySource: ['one, two'] }]);
});
