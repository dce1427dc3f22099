import type { Context } from 'aws-lambda';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { clientApi } from '../../functions/client-api.ts';
import type { ApiEvent } from '../../functions/http.ts';
import { logger } from '../../functions/logger.ts';
import { sha256 } from '../memory/signer.ts';

const kid = 'k'.repeat(43);
const body = '{"have":3}';
const proved = { lambda: { client: 'alice', kid, digest: sha256(body), pace: 'fine' } };

const eventOf = (authorizer: unknown, changes: Partial<ApiEvent> = {}): ApiEvent => ({
  version: '2.0',
  routeKey: 'POST /v1/tasks/{task}/tickets',
  rawPath: '/v1/tasks/demo/tickets',
  rawQueryString: '',
  headers: {},
  pathParameters: { task: 'demo' },
  body,
  isBase64Encoded: false,
  ...changes,
  requestContext: {
    accountId: '123456789012',
    apiId: 'api',
    domainName: 'api.example',
    domainPrefix: 'api',
    http: {
      method: 'POST',
      path: '/v1/tasks/demo/tickets',
      protocol: 'HTTP/1.1',
      sourceIp: '192.0.2.7',
      userAgent: '',
    },
    requestId: 'r',
    routeKey: 'POST /v1/tasks/{task}/tickets',
    stage: '$default',
    time: '',
    timeEpoch: 0,
    authorizer,
  },
});

const answer = vi.fn(async () => ({ status: 201, body: {} }));
const handler = clientApi(answer);
const call = (event: ApiEvent) => handler(event, { awsRequestId: 'r' } as Context);
afterEach(() => vi.clearAllMocks());

describe('a function behind a client route', () => {
  test('answers the client that the authorizer names', async () => {
    expect(await call(eventOf(proved))).toMatchObject({ statusCode: 201 });
    expect(answer).toHaveBeenCalledWith(
      expect.objectContaining({ caller: { client: 'alice', kid }, path: { task: 'demo' }, body: { have: 3 } }),
    );
  });

  test('sends a client away that asks too often, with the time to wait', async () => {
    const reply = await call(eventOf({ lambda: { ...proved.lambda, pace: 'too-fast' } }));
    expect(reply).toMatchObject({ statusCode: 429, headers: { 'retry-after': '60' } });
    expect(JSON.parse(reply.body ?? '')).toMatchObject({ code: 'client-too-fast', retryAfterMs: 60_000 });
    expect(answer).not.toHaveBeenCalled();
  });

  test('compares the bytes that were sent, whatever form they came in', async () => {
    const bytes = Buffer.from('{"é":1}');
    const inBase64 = { body: bytes.toString('base64'), isBase64Encoded: true };
    const context = { lambda: { ...proved.lambda, digest: sha256('{"é":1}') } };
    expect(await call(eventOf(context, inBase64))).toMatchObject({ statusCode: 201 });
    expect(await call(eventOf(context, { body: '{"é":1}' }))).toMatchObject({ statusCode: 201 });
  });

  test('takes the digest of no bytes where there is no body', async () => {
    // SHA-256 of the empty string, FIPS 180-4.
    const digest = Buffer.from('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855', 'hex');
    const context = { lambda: { ...proved.lambda, digest: digest.toString('base64url') } };
    expect(await call(eventOf(context, { body: undefined }))).toMatchObject({ statusCode: 201 });
  });

  test.each([['{"have":4}'], ['{"have":3} '], ['{"have":3,"x":4}'], [undefined]])(
    'refuses the body %s, for which the proof is not',
    async (other) => {
      const reply = await call(eventOf(proved, { body: other }));
      expect(reply.statusCode).toBe(403);
      expect(JSON.parse(reply.body ?? '')).toMatchObject({ status: 403, code: 'proof-digest' });
      expect(answer).not.toHaveBeenCalled();
    },
  );

  test.each([
    ['no authorizer', undefined],
    ['an authorizer that said nothing', { lambda: null }],
    ['an IAM caller', { iam: { accessKey: 'AKIA' } }],
    ['no digest', { lambda: { client: 'alice', kid } }],
    ['an empty digest', { lambda: { client: 'alice', kid, digest: '' } }],
    ['no client', { lambda: { kid, digest: sha256(body) } }],
    ['a client whose name is none', { lambda: { client: '', kid, digest: sha256(body) } }],
  ])('answers nobody behind %s', async (_, authorizer) => {
    const error = vi.spyOn(logger, 'error').mockImplementation(() => {});
    const reply = await call(eventOf(authorizer));
    expect(reply.statusCode).toBe(500);
    expect(JSON.parse(reply.body ?? '')).toMatchObject({ code: 'internal' });
    expect(answer).not.toHaveBeenCalled();
    expect(error).toHaveBeenCalledOnce();
  });
});
